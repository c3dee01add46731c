"""The folder of a Vosk model, from weights and a lexicon; neither Kaldi nor OpenFst is needed.

What vosk 0.3.45 reads: am/final.mdl (a TransitionModel and an Nnet3, here as text), conf/*, graph/HCLr.fst
and Gr.fst (OpenFst's vector form), graph/words.txt, graph/phones/word_boundary.int, graph/disambig_tid.int
(empty).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp

from tools.speech_model import graph
from tools.speech_model.features import BANDS, HIGH, LOW, RATE
from tools.speech_model.lexicon import Lexicon
from tools.speech_model.net import CONTEXT, OFFSETS, STEP, WIDTH, Affine, Net
from tools.speech_model.phones import PHONES

UNKNOWN = "[unk]"
README = """Made from the synthetic voices of espeak-ng, for tests and demonstrations: NOT for real callers.

It knows the words of lexicon.json and no others. Licence: Apache-2.0.
"""
POSITIONS = ("begin", "internal", "end", "singleton")
FILLER = len(PHONES)
"""The output that is as likely as the likeliest sound of speech: what [unk] is made of."""
_MFCC = {
    "use-energy": "false",
    "sample-frequency": RATE,
    "num-mel-bins": BANDS,
    "num-ceps": BANDS,
    "low-freq": LOW,
    "high-freq": HIGH,
    "dither": 0,
}
_MODEL = {
    "min-active": 200,
    "max-active": 3000,
    "beam": 13.0,
    "lattice-beam": 6.0,
    "acoustic-scale": 0.4,
    "frame-subsampling-factor": STEP,
    "endpoint.silence-phones": 1,
    "endpoint.rule2.min-trailing-silence": 0.5,
    "endpoint.rule3.min-trailing-silence": 0.75,
    "endpoint.rule4.min-trailing-silence": 1.0,
}


def build(net: Net, lexicon: Lexicon, folder: Path) -> None:
    """Replaces `folder` in one step. Raises OSError when it cannot be written."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(mkdtemp(dir=folder.parent, prefix=folder.name))
    for name in ("am", "conf", "graph/phones"):
        (new / name).mkdir(parents=True)
    (new / "README").write_text(README, "utf-8")
    words = ["<eps>", UNKNOWN, *sorted(lexicon)]
    (new / "am/final.mdl").write_text(_transitions() + _nnet(net))
    (new / "conf/mfcc.conf").write_text(_options(_MFCC))
    (new / "conf/model.conf").write_text(_options(_MODEL))
    (new / "graph/words.txt").write_text("".join(f"{w} {n}\n" for n, w in enumerate(words)), "utf-8")
    (new / "graph/phones/word_boundary.int").write_text(_boundaries())
    (new / "graph/disambig_tid.int").touch()
    (new / "graph/HCLr.fst").write_bytes(graph.pronunciations(lexicon, words))
    (new / "graph/Gr.fst").write_bytes(graph.any_word(len(words)))
    if folder.exists():
        shutil.rmtree(folder)
    new.rename(folder)


def _options(options: dict[str, object]) -> str:
    return "".join(f"--{name}={value}\n" for name, value in options.items())


def _boundaries() -> str:
    """Silence is 1; each other output follows four times, by its place in a word."""
    lines = ["1 nonword"]
    for pdf in range(1, len(PHONES) + 1):
        lines += [f"{graph.phone_id(pdf, place)} {name}" for place, name in enumerate(POSITIONS)]
    return "\n".join(lines) + "\n"


def _transitions() -> str:
    ids = [1, *range(2, 2 + 4 * len(PHONES))]
    pdfs = [0, *(1 + (phone - 2) // 4 for phone in ids[1:])]
    topology = (
        "<Topology> \n<TopologyEntry> \n<ForPhones> \n"
        + " ".join(map(str, ids))
        + " \n</ForPhones> \n<State> 0 <PdfClass> 0 <Transition> 0 0.5 <Transition> 1 0.5 </State> \n"
        "<State> 1 </State> \n</TopologyEntry> \n</Topology> \n"
    )
    triples = "".join(f"{phone} 0 {pdf} \n" for phone, pdf in zip(ids, pdfs, strict=True))
    log_half = " ".join(["-0.6931472"] * (2 * len(ids)))
    return (
        f"<TransitionModel> \n{topology}<Triples> {len(ids)} \n{triples}</Triples> \n"
        f"<LogProbs> \n [ 0 {log_half} ]\n</LogProbs> \n</TransitionModel> \n"
    )


def _nnet(net: Net) -> str:
    nodes, components = [f"input-node name=input dim={BANDS}"], []
    before = "input"
    for number, (layer, (first, _, last)) in enumerate(zip(net.layers, OFFSETS, strict=False)):
        spliced = f"Append(Offset({before}, {first}), {before}, Offset({before}, {last}))"
        nodes.append(f"component-node name=affine{number} component=affine{number} input={spliced}")
        nodes.append(f"component-node name=relu{number} component=relu{number} input=affine{number}")
        components += [_affine(f"affine{number}", layer), _pointwise(f"relu{number}", "Rectified", WIDTH)]
        before = f"relu{number}"
    for name, source in (("logits", before), ("logsoftmax", "logits"), ("loglik", "logsoftmax")):
        nodes.append(f"component-node name={name} component={name} input={source}")
    components += [
        _affine("logits", net.layers[-1]),
        _pointwise("logsoftmax", "LogSoftmax", len(PHONES)),
        f"<ComponentName> loglik <FixedBiasComponent> <Bias> {_row(-net.log_priors)}</FixedBiasComponent> ",
        _likeliest(),
    ]
    nodes += [
        f"dim-range-node name=speech input-node=loglik dim-offset=1 dim={len(PHONES) - 1}",
        "component-node name=likeliest component=likeliest input=speech",
        "output-node name=output input=Append(loglik, likeliest) objective=linear",
    ]
    body = "\n".join(components)
    return (
        "<Nnet3> \n" + "\n".join(nodes) + f"\n\n<NumComponents> {len(components)} \n{body}\n</Nnet3> \n"
        f"<LeftContext> {CONTEXT} <RightContext> {CONTEXT} <Priors>  [ ]\n"
    )


def _affine(name: str, layer: Affine) -> str:
    rows = "\n".join("  " + _numbers(row) for row in layer.weights)
    return (
        f"<ComponentName> {name} <FixedAffineComponent> <LinearParams>  [\n{rows} ]\n"
        f"<BiasParams> {_row(layer.bias)}</FixedAffineComponent> "
    )


def _pointwise(name: str, kind: str, size: int) -> str:
    kind = f"{kind}LinearComponent" if kind == "Rectified" else f"{kind}Component"
    return (
        f"<ComponentName> {name} <{kind}> <Dim> {size} <ValueAvg>  [ ]\n<DerivAvg>  [ ]\n"
        f"<Count> 0 <NumDimsSelfRepaired> 0 <NumDimsProcessed> 0 </{kind}> "
    )


def _likeliest() -> str:
    speech = len(PHONES) - 1
    return (
        "<ComponentName> likeliest <MaxpoolingComponent> "
        f"<InputXDim> {speech} <InputYDim> 1 <InputZDim> 1 <PoolXSize> {speech} <PoolYSize> 1 <PoolZSize> 1 "
        f"<PoolXStep> {speech} <PoolYStep> 1 <PoolZStep> 1 </MaxpoolingComponent> "
    )


def _row(values: Sequence[float]) -> str:
    return f" [ {_numbers(values)} ]\n"


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:.5g}" for value in values)
