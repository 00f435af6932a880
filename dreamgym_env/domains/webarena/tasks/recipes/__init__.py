"""The templates of the bundled tasks, a module for each site and one for tasks over two sites."""
