"""Python's own Session.run. Argument: JSON of { folder, feed, fetch, shape, seconds }."""

import json
import sys
import time

import numpy as np
import tensorflow as tf

job = json.loads(sys.argv[1])
count = int(np.prod(job['shape']))
values = ((np.arange(count) * 7919 % 1000) / 1000).astype(np.float32).reshape(job['shape'])
with tf.compat.v1.Session(graph=tf.Graph()) as session:
    start = time.perf_counter()
    tf.compat.v1.saved_model.load(session, ['serve'], job['folder'])
    load = time.perf_counter() - start
    feeds = {job['feed'] + ':0': values}
    fetch = job['fetch'] + ':0'
    end = time.perf_counter() + 0.3 * job['seconds']
    while time.perf_counter() < end:
        session.run(fetch, feeds)
    times = []
    end = time.perf_counter() + job['seconds']
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        session.run(fetch, feeds)
        times.append((time.perf_counter() - start) * 1e6)
times.sort()
print(json.dumps({'medianUs': times[len(times) // 2], 'p99Us': times[len(times) * 99 // 100], 'loadMs': load * 1000}))
