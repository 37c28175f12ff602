"""What `suite.sandbox.choice.prove` shows inside a sandbox: a right program."""
