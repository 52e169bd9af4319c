"""The trainer's weights in the peer's model."""
import pathlib

import h5py
import torch

from model import Answer, Pooled
from train import parse_task


def step_of(path):
    """The step that a shard of the trainer's was written after; 0 of a file without moments."""
    with h5py.File(path) as file:
        return int(file.attrs["step"]) if "moments" in file else 0


def checkpoint_of(path, step):
    """Where the shard of another checkpoint of the same run would be."""
    shard = pathlib.Path(path)
    return shard.parent.parent / f"step-{step:08}" / shard.name


def load_moments(path, optimizer, encoder, tasks, batches):
    """AdamW's state after `batches`, from the one shard of a run on one rank. Heads and pooler have had as many updates as they had batches."""
    counts = {name: sum(batch["task"] == name for batch in batches) for name in tasks}
    with h5py.File(path) as file:
        for parameter, names in trained(encoder, tasks):
            heads = [name for name, task in tasks.items() if names[0].startswith(f"heads.{name}.") or "pooler" in names[0] and not task["san"]]
            moments = {key: torch.cat([torch.from_numpy(file[f"moments/{kind}/{name}"][()]).flatten() for name in names]).view_as(parameter)
                       for key, kind in [("exp_avg", "first"), ("exp_avg_sq", "second")]}
            optimizer.state[parameter] = moments | dict(step=torch.tensor(float(sum(counts[name] for name in heads) if heads else len(batches))))


def trained(encoder, tasks):
    """Each parameter with the trainer's names of its parts."""
    modules = [*encoder.parts(), *((task["head"], [f"heads.{name}"]) for name, task in tasks.items())]
    for module, names in modules:
        for part, parameter in module.named_parameters():
            yield parameter, [f"{name}.{part}" for name in names]


def load_tasks(options, encoder, path):
    """The options' tasks, with the encoder's weights and those of their heads from what `mtdnn export --hdf5` wrote."""
    tasks = {}
    for task in map(parse_task, options.task):
        task["head"] = (Answer if task["san"] else Pooled)(encoder, task["outputs"], task["dropout"])
        tasks[task["name"]] = task
    load_weights(path, encoder, tasks)
    return tasks


def load_weights(path, encoder, tasks):
    """The weights of the encoder and of the tasks' heads, from what `mtdnn export --hdf5` wrote or from a checkpoint's one shard."""
    with h5py.File(path) as file:
        found = {name: torch.from_numpy(values[()]) for name, values in file["parameters"].items()}
    encoder.load({name: values for name, values in found.items() if not name.startswith("heads.")})
    with torch.no_grad():
        for task in tasks.values():
            for name, parameter in task["head"].named_parameters():
                parameter.copy_(found[f"heads.{task['name']}.{name}"])
