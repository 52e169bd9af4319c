"""The trainer's weights in the peer's model."""
import h5py
import torch

from model import Answer, Pooled
from train import parse_task


def load_tasks(options, encoder, path):
    """The options' tasks, with the encoder's weights and those of their heads from what `mtdnn export --hdf5` wrote."""
    with h5py.File(path) as file:
        found = {name: torch.from_numpy(values[()]) for name, values in file["parameters"].items()}
    encoder.load({name: values for name, values in found.items() if not name.startswith("heads.")})
    tasks = {}
    for task in map(parse_task, options.task):
        task["head"] = (Answer if task["san"] else Pooled)(encoder, task["outputs"], task["dropout"])
        with torch.no_grad():
            for name, parameter in task["head"].named_parameters():
                parameter.copy_(found[f"heads.{task['name']}.{name}"])
        tasks[task["name"]] = task
    return tasks
