SELECT max(published_seq) FROM loads
