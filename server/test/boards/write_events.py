"""Writes log folders as programs write them, and tells what TensorBoard's own reader makes of them.

python write_events.py write FOLDER     writes the files
python write_events.py append FOLDER    writes more behind them
python write_events.py read FOLDER      prints {run: {scalars: {tag: [[step, value]]}, histograms: {tag: [[step, sum]]}, ...}} as JSON
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.io_wrapper import GetLogdirSubdirectories
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.histogram import metadata as histograms
from tensorboard.plugins.image import metadata as images
from tensorboard.plugins.scalar import metadata as scalars
from tensorboard.plugins.text import metadata as texts
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto
from tensorboardX import SummaryWriter

KEEP_ALL = {'scalars': 0, 'tensors': 0, 'histograms': 0, 'images': 0, 'compressedHistograms': 1, 'audio': 0}


def write(root: Path) -> None:
    random = np.random.default_rng(3)
    with SummaryWriter(str(root / 'trial-1'), filename_suffix='.a') as writer:
        for step in range(3000):
            writer.add_scalar('loss/train', 1 / (step + 1) + random.normal() / 100, step)
        writer.add_scalar('odd (name) %', 1.5, 1)
        writer.add_scalar('edge', math.nan, 0)
        writer.add_scalar('edge', 2.5, 1)
        for step in range(3):
            writer.add_histogram('weights', random.normal(size=500), step)
        writer.add_text('note', 'a *short* note\n\nwith <b>two</b> paragraphs', 7)
        writer.add_image('dots', random.integers(0, 255, size=(3, 8, 12), dtype=np.uint8), 4)
        writer.add_hparams({'lr': 0.1, 'optimiser': 'adam', 'nesterov': True}, {'hparam/loss': 0.25}, name='h')
    # A training that fell over at step 60 and began again at 40.
    with SummaryWriter(str(root / 'again'), filename_suffix='.1') as writer:
        for step in range(60):
            writer.add_scalar('acc', step, step)
    with SummaryWriter(str(root / 'again'), filename_suffix='.2', purge_step=40) as writer:
        for step in range(40, 80):
            writer.add_scalar('acc', step * 10, step)
    # The form of TensorFlow 2: everything is a tensor, the kind said once.
    modern = EventFileWriter(str(root / 'modern'))
    for step in range(5):
        counts, edges = np.histogram(random.normal(size=200), bins=30)
        for tag, tensor, metadata in (
            ('epoch_loss', np.float32(1 / (step + 1)), scalars.create_summary_metadata('', '')),
            ('layer', np.stack([edges[:-1], edges[1:], counts], 1), histograms.create_summary_metadata('', '')),
            ('say', [f'epoch {step}'.encode()], texts.create_summary_metadata('', '')),
        ):
            # Real writers say what a tag is with its first value alone.
            modern.add_event(event(step, 1_700_000_000 + step, tag, tensor, metadata if step == 0 else None))
    png = [b'4', b'4', b'not looked at', b'nor this one']
    modern.add_event(event(2**40, 1_700_000_009, 'pixels', png, images.create_summary_metadata('', '')))
    modern.close()


def event(step: int, wall_time: float, tag: str, tensor: object, metadata: object) -> Event:
    value = Summary.Value(tag=tag, tensor=make_tensor_proto(tensor), metadata=metadata)
    return Event(wall_time=wall_time, step=step, summary=Summary(value=[value]))


def append(root: Path) -> None:
    with SummaryWriter(str(root / 'trial-1'), filename_suffix='.b') as writer:
        for step in range(3000, 3200):
            writer.add_scalar('loss/train', -step, step)


def read(root: Path) -> dict:
    runs = {}
    for folder in GetLogdirSubdirectories(str(root)):
        seen = EventAccumulator(folder, size_guidance=KEEP_ALL, purge_orphaned_data=True)
        seen.Reload()
        run = {'scalars': {}, 'histograms': {}, 'images': {}, 'texts': {}}
        for tag in seen.scalars.Keys():
            run['scalars'][tag] = [[one.step, number(one.value)] for one in seen.Scalars(tag)]
        for tag in seen.histograms.Keys():
            run['histograms'][tag] = [[one.step, one.histogram_value.num] for one in seen.Histograms(tag)]
        for tag in seen.images.Keys():
            run['images'][tag] = [[one.step, len(one.encoded_image_string)] for one in seen.Images(tag)]
        for tag in seen.tensors.Keys():
            plugin = seen.SummaryMetadata(tag).plugin_data.plugin_name
            for one in seen.Tensors(tag):
                tensor = one.tensor_proto
                if plugin == 'scalars':
                    value = np.frombuffer(tensor.tensor_content, np.float32) if tensor.tensor_content else tensor.float_val
                    run['scalars'].setdefault(tag, []).append([one.step, number(value[0])])
                elif plugin == 'histograms':
                    kind = np.float64 if tensor.dtype == 2 else np.float32
                    table = np.frombuffer(tensor.tensor_content, kind) if tensor.tensor_content else tensor.double_val
                    counts = np.asarray(table).reshape(-1, 3)[:, 2]
                    run['histograms'].setdefault(tag, []).append([one.step, float(counts.sum())])
                elif plugin == 'text':
                    words = [text.decode() for text in tensor.string_val]
                    run['texts'].setdefault(tag.removesuffix('/text_summary'), []).append([one.step, words])
                elif plugin == 'images':
                    run['images'].setdefault(tag, []).extend([one.step, len(png)] for png in tensor.string_val[2:])
        runs[str(Path(folder).relative_to(root))] = run
    return runs


def number(value: float) -> float | str:
    value = float(value)
    return 'NaN' if math.isnan(value) else value


what, folder = sys.argv[1], Path(sys.argv[2])
if what == 'write':
    write(folder)
elif what == 'append':
    append(folder)
else:
    print(json.dumps(read(folder)))
