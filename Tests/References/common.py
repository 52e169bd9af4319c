"""What the reference programs share: a tiny random BERT, packed batches, and writing float32 files of values computed in double."""
import os

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel

TINY = dict(
    model_type="bert", architectures=["BertModel"], hidden_act="gelu", hidden_size=32, num_hidden_layers=3,
    num_attention_heads=4, intermediate_size=64, vocab_size=100, max_position_embeddings=64, type_vocab_size=2,
    layer_norm_eps=1e-12, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, pad_token_id=0,
    initializer_range=0.02, position_embedding_type="absolute")
LENGTHS = [3, 40, 7, 12, 17, 5, 26]


def draw(*shape, generator, std=1.0, mean=0.0):
    """Normal numbers that float32 holds exactly, as double: what is stored is what was computed with."""
    return (torch.randn(*shape, generator=generator) * std + mean).double()


def save(folder, name, tensors):
    """Writes float32 and int32 only; doubles are rounded here and nowhere before."""
    os.makedirs(folder, exist_ok=True)
    rounded = {}
    for key, value in tensors.items():
        value = value.detach()
        kind = torch.float32 if value.is_floating_point() else torch.int32
        rounded[key] = value.to(kind).contiguous().clone()
    save_file(rounded, os.path.join(folder, name))
    os.chmod(os.path.join(folder, name), 0o644)  # safetensors makes files private


def named(prefix, tensors):
    """The same tensors under `prefix.NAME`."""
    return {f"{prefix}.{name}": value for name, value in tensors.items()}


def tiny_model(generator):
    """BertModel in double with weights large enough that no part of the network is nearly linear."""
    model = BertModel(BertConfig(**TINY), add_pooling_layer=True).double().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            shape = parameter.shape
            if name.endswith("LayerNorm.weight"):
                parameter.copy_(draw(*shape, generator=generator, std=0.2, mean=1.0))
            elif name.endswith("bias"):
                parameter.copy_(draw(*shape, generator=generator, std=0.1))
            elif "embeddings" in name:
                parameter.copy_(draw(*shape, generator=generator, std=0.3))
            else:
                parameter.copy_(draw(*shape, generator=generator, std=0.2))
    return model


def offsets_of(lengths):
    """Where each sequence starts in the packed rows; the last entry is the count of rows."""
    return torch.tensor([0, *lengths]).cumsum(0)


def draw_pairs(lengths, generator, vocabulary=100):
    """Packed `tokens` and `segments`: token 1 opens a sequence, token 2 ends a segment; every sequence has both segments."""
    tokens, segments = [], []
    for length in lengths:
        first = int(torch.randint(2, length, (1,), generator=generator)) if length > 2 else 1
        row = torch.randint(3, vocabulary, (length,), generator=generator)
        row[0], row[first - 1], row[-1] = (1 if first > 1 else row[0]), (2 if first > 1 else 1), 2
        tokens.append(row)
        segments.append((torch.arange(length) >= first).long())
    return torch.cat(tokens), torch.cat(segments)


def encode(model, tokens, segments, offsets):
    """Runs transformers on a padded batch with a mask; returns packed output rows."""
    lengths = offsets.diff()
    inside = torch.arange(int(lengths.max()))[None, :] < lengths[:, None]
    padded_tokens, padded_segments = torch.zeros(inside.shape).long(), torch.zeros(inside.shape).long()
    padded_tokens[inside], padded_segments[inside] = tokens.long(), segments.long()
    output = model(input_ids=padded_tokens, token_type_ids=padded_segments, attention_mask=inside.long())
    return output.last_hidden_state[inside]
