-- The shop and its back office. Money is in cents, dates are texts such as 2025-03-14.
CREATE TABLE categories (slug TEXT PRIMARY KEY, name TEXT NOT NULL, position INTEGER NOT NULL);
CREATE TABLE products (
    id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, sku TEXT NOT NULL UNIQUE, name TEXT NOT NULL, brand TEXT NOT NULL,
    category TEXT NOT NULL REFERENCES categories (slug), price INTEGER NOT NULL, stock INTEGER NOT NULL,
    enabled INTEGER NOT NULL, description TEXT NOT NULL, details TEXT NOT NULL, added TEXT NOT NULL
);
CREATE TABLE customers (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, phone TEXT NOT NULL, street TEXT NOT NULL,
    town TEXT NOT NULL, postcode TEXT NOT NULL, joined TEXT NOT NULL, newsletter INTEGER NOT NULL
);
CREATE TABLE orders (
    number INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customers (id), placed TEXT NOT NULL,
    status TEXT NOT NULL, street TEXT NOT NULL, town TEXT NOT NULL, postcode TEXT NOT NULL, shipping TEXT NOT NULL,
    shipping_cost INTEGER NOT NULL, total INTEGER NOT NULL, note TEXT NOT NULL
);
CREATE INDEX orders_by_customer ON orders (customer);
CREATE TABLE order_items (
    order_number INTEGER NOT NULL REFERENCES orders (number), product INTEGER NOT NULL REFERENCES products (id),
    quantity INTEGER NOT NULL, price INTEGER NOT NULL
);
CREATE INDEX items_by_order ON order_items (order_number);
CREATE TABLE reviews (
    id INTEGER PRIMARY KEY, product INTEGER NOT NULL REFERENCES products (id), author TEXT NOT NULL,
    rating INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, written TEXT NOT NULL, status TEXT NOT NULL
);
CREATE INDEX reviews_by_product ON reviews (product);
CREATE TABLE cart (product INTEGER PRIMARY KEY REFERENCES products (id), quantity INTEGER NOT NULL);
CREATE TABLE wishes (product INTEGER PRIMARY KEY REFERENCES products (id));

-- The forum.
CREATE TABLE members (handle TEXT PRIMARY KEY, joined TEXT NOT NULL, bio TEXT NOT NULL);
CREATE TABLE boards (slug TEXT PRIMARY KEY, name TEXT NOT NULL, about TEXT NOT NULL);
CREATE TABLE posts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, board TEXT NOT NULL REFERENCES boards (slug),
    author TEXT NOT NULL REFERENCES members (handle), title TEXT NOT NULL, body TEXT NOT NULL, written TEXT NOT NULL,
    score INTEGER NOT NULL
);
CREATE TABLE comments (
    id INTEGER PRIMARY KEY AUTOINCREMENT, post INTEGER NOT NULL REFERENCES posts (id), author TEXT NOT NULL,
    body TEXT NOT NULL, written TEXT NOT NULL, score INTEGER NOT NULL
);
CREATE INDEX comments_by_post ON comments (post);
CREATE TABLE post_votes (post INTEGER PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE comment_votes (comment INTEGER PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE subscriptions (board TEXT PRIMARY KEY);

-- The code host.
CREATE TABLE people (username TEXT PRIMARY KEY, name TEXT NOT NULL, status TEXT NOT NULL);
CREATE TABLE projects (
    path TEXT PRIMARY KEY, name TEXT NOT NULL, about TEXT NOT NULL, language TEXT NOT NULL, visibility TEXT NOT NULL,
    stars INTEGER NOT NULL, created TEXT NOT NULL
);
CREATE TABLE stars (project TEXT PRIMARY KEY);
CREATE TABLE memberships (
    project TEXT NOT NULL, username TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY (project, username)
);
CREATE TABLE labels (project TEXT NOT NULL, name TEXT NOT NULL, about TEXT NOT NULL, PRIMARY KEY (project, name));
CREATE TABLE issues (
    project TEXT NOT NULL, number INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, author TEXT NOT NULL,
    assignee TEXT NOT NULL, state TEXT NOT NULL, created TEXT NOT NULL, PRIMARY KEY (project, number)
);
CREATE TABLE issue_labels (
    project TEXT NOT NULL, number INTEGER NOT NULL, label TEXT NOT NULL, PRIMARY KEY (project, number, label)
);
CREATE TABLE merge_requests (
    project TEXT NOT NULL, number INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, author TEXT NOT NULL,
    reviewer TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, state TEXT NOT NULL, created TEXT NOT NULL,
    PRIMARY KEY (project, number)
);
CREATE TABLE notes (
    project TEXT NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL, author TEXT NOT NULL, body TEXT NOT NULL,
    written TEXT NOT NULL
);
CREATE INDEX notes_by_project ON notes (project, kind, number);
CREATE TABLE commits (
    sha TEXT PRIMARY KEY, project TEXT NOT NULL, author TEXT NOT NULL, message TEXT NOT NULL, written TEXT NOT NULL
);

-- The map and its encyclopedia.
CREATE TABLE places (
    slug TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, street TEXT NOT NULL, town TEXT NOT NULL,
    postcode TEXT NOT NULL, hours TEXT NOT NULL, phone TEXT NOT NULL, east REAL NOT NULL, north REAL NOT NULL
);
CREATE TABLE saved_places (place TEXT PRIMARY KEY REFERENCES places (slug), note TEXT NOT NULL);
CREATE TABLE articles (
    slug TEXT PRIMARY KEY, title TEXT NOT NULL, kind TEXT NOT NULL, facts TEXT NOT NULL, text TEXT NOT NULL
);
