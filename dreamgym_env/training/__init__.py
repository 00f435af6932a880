"""Making world models: recording experience, turning transitions into examples, fine-tuning."""
