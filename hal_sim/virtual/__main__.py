"""`python -m hal_sim.virtual --cars 100000 --seed 1`: the figures of the lane machine's proof, as a table."""

from __future__ import annotations

import argparse
import sys
import time
from multiprocessing import Pool

from hal_sim.virtual.mix import CAMERA, FAULTY, FAULTY_CAMERA, USUAL, Mix
from hal_sim.virtual.tally import Tally
from hal_sim.virtual.world import World

PART = 1_000
"""Cars in one world: each has its own seed, so that a violation is found again by running its world alone."""


def one(job: tuple[int, Mix, int]) -> Tally:
    seed, mix, cars = job
    tally = World(seed, mix).run(cars)
    tally.examples = [f"world seed {seed}: {example}" for example in tally.examples]
    return tally


def many(cars: int, seed: int, mix: Mix, processes: int) -> Tally:
    jobs = [(seed * 1_000_000 + part, mix, min(PART, cars - part * PART)) for part in range(-(-cars // PART))]
    total = Tally()
    if processes == 1:
        for job in jobs:
            total.add(one(job))
        return total
    with Pool(processes) as pool:
        for tally in pool.imap_unordered(one, jobs):
            total.add(tally)
    return total


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m hal_sim.virtual", description=__doc__)
    parser.add_argument("--cars", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--faulty", action="store_true", help="also worlds with broken loops and lying switches")
    parser.add_argument("--camera", action="store_true", help="lanes where cameras tell of arrivals, without that loop")
    args = parser.parse_args()
    worlds = {"usual": USUAL, **(FAULTY if args.faulty else {})}
    if args.camera:
        worlds = {"camera": CAMERA, **(FAULTY_CAMERA if args.faulty else {})}
    wrong = False
    for name, mix in worlds.items():
        began = time.perf_counter()
        tally = many(args.cars, args.seed, mix, args.processes)
        took_s = time.perf_counter() - began
        print(f"{name}: {tally.cars} cars in {took_s:.1f} s, {tally.cars / took_s:.0f} cars/s")
        print(tally.table())
        wrong = wrong or bool(tally.violations())
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
