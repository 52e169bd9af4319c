"""Scores a checkpoint of the trainer on the development rows, to be compared with what its run says of it.

    mtdnn export --hdf5 weights.h5 RUN/checkpoints/step-00004456
    peer/bin/python scores.py --weights weights.h5 --encoder ENCODER --data DATA --log /dev/null --task cola --task rte:batch=16,length=96 ...
"""
from data import read, tokenise
from model import Dropout, Encoder
from train import arguments, evaluate
from weights import load_tasks


def main():
    options = arguments(("--weights", "a checkpoint of the trainer, by `mtdnn export --hdf5`"))
    encoder = Encoder(options.encoder, Dropout(options.seed))
    for name, task in load_tasks(options, encoder, options.weights).items():
        print(name, evaluate(task, encoder, tokenise(read(name, options.data, "dev"), options.encoder, task["length"])), flush=True)


if __name__ == "__main__":
    main()
