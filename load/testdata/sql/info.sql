SELECT version(), timezone(), now()
