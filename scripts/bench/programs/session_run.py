"""Python's own Session.run.

Argument: JSON of { folder, feed, fetch, shape, seconds }, and of a serialized ConfigProto as base64 (`config`), and of
`batches`, each in place of the first dimension of `shape`, one after the other. Prints a line of JSON for each.
"""

import base64
import json
import sys
import time

import numpy as np
import tensorflow as tf

job = json.loads(sys.argv[1])
config = tf.compat.v1.ConfigProto.FromString(base64.b64decode(job.get('config', '')))


def measure(session, shape):
    count = int(np.prod(shape))
    values = ((np.arange(count) * 7919 % 1000) / 1000).astype(np.float32).reshape(shape)
    feeds = {job['feed'] + ':0': values}
    fetch = job['fetch'] + ':0'
    start = time.perf_counter()
    session.run(fetch, feeds)
    first = time.perf_counter() - start
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
    return {
        'batch': shape[0],
        'medianUs': times[len(times) // 2],
        'p99Us': times[len(times) * 99 // 100],
        'runs': len(times),
        'firstUs': first * 1e6,
    }


with tf.compat.v1.Session(graph=tf.Graph(), config=config) as session:
    start = time.perf_counter()
    tf.compat.v1.saved_model.load(session, ['serve'], job['folder'])
    load = (time.perf_counter() - start) * 1000
    for batch in job.get('batches', job['shape'][:1]):
        figures = measure(session, [batch, *job['shape'][1:]])
        devices = [device.name for device in session.list_devices()]
        print(json.dumps({**figures, 'loadMs': load, 'devices': devices}), flush=True)
