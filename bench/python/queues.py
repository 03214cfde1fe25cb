"""CPU nanoseconds per item of asyncio's queues: one await put and one await get at a constant depth."""

import asyncio
import random
import sys
import time

DEPTH = 1000


async def fifo(count):
    queue = asyncio.Queue()
    for i in range(DEPTH):
        await queue.put(i)
    started = time.process_time()
    for i in range(count):
        await queue.get()
        await queue.put(i)
    return time.process_time() - started


async def wide(count):
    queue = asyncio.PriorityQueue()
    steps = [random.random() for _ in range(count)]
    for sequence in range(DEPTH):
        await queue.put((1 - random.random() ** 0.5, sequence, sequence))
    started = time.process_time()
    for sequence, step in enumerate(steps, DEPTH):
        due, _, item = await queue.get()
        await queue.put((due + step, sequence, item))
    return time.process_time() - started


async def few(count):
    queue = asyncio.PriorityQueue()
    levels = [random.randrange(16) for _ in range(count)]
    for sequence in range(DEPTH):
        await queue.put((15, sequence, sequence))
    started = time.process_time()
    for sequence, level in enumerate(levels, DEPTH):
        _, _, item = await queue.get()
        await queue.put((level, sequence, item))
    return time.process_time() - started


kind, count = sys.argv[1], int(sys.argv[2])
seconds = asyncio.run({"fifo": fifo, "few": few, "wide": wide}[kind](count))
print(seconds * 1e9 / count)
