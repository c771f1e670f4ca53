# nothing beyond what the core links
