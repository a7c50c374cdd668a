SELECT uniqExact(load_id, published_seq) FROM loads WHERE (load_id, published_seq) IN ((42, 7), (43, 0))
