"""What Gymnasium sees: single and vector environments, their spaces, infos and ids."""
