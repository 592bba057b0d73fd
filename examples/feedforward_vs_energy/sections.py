"""What the page says beside the numbers: each question, how it was put, what is shown and compared, and the limits."""

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Shown:
    """A measure: its name in the rows, what it is called, on a logarithmic scale or not, decimals in the table."""

    measure: str
    label: str
    logarithmic: bool = False
    decimals: int = 3

    @property
    def name(self) -> str:
        """Without what stands in brackets."""
        return self.label.split(" (")[0]

    @property
    def highest(self) -> bool:
        """Whether more of it is better."""
        return "higher is better" in self.label


@final
@dataclass(frozen=True)
class Compared:
    """Two variants on one measure, seed by seed."""

    one: str
    other: str
    measure: str


@final
@dataclass(frozen=True)
class Section:
    """One question on the page. `plotted` of what is `shown` goes into the picture, the rest is a table only."""

    question: str
    title: str
    setup: str
    shown: tuple[Shown, ...]
    plotted: int
    compared: tuple[Compared, ...]
    limits: str


def _against(other: str, ones: tuple[str, ...], measure: str) -> tuple[Compared, ...]:
    return tuple(Compared(one, other, measure) for one in ones)


MIXTURE, FUNCTION = "mixture density", "feedforward"
ENERGIES = ("contrast energy", "score energy", "forward-model energy", "latent variable")
ERROR = Shown("error", "distance of the hand from the place asked for (lower is better)", logarithmic=True)

RELATIONS = Section(
    "relations",
    "1. One place of the hand, two postures",
    """\
An arm of two links (1.0 and 0.8 long) moves in a plane. Given where the hand is, which angles have shoulder and elbow?
Two postures fit almost every place, elbow up and elbow down, equally often in the data (the measured hand has noise of
0.01). Angles count as points on circles (cosine, sine), so that near postures are near. Six ways, about 2,600 weights
each, 1,500 steps of Adam on batches of 64:

- **feedforward**: place to posture, square error.
- **mixture density**: place to weights, means and widths of several Gaussians (Bishop 1994), maximum likelihood; its
  answers are the means, the best is where its density is highest.
- **contrast energy**: E(place, posture) from a network with one output, learned by telling the true posture from 32
  others (InfoNCE); **score energy**: the same network, learned by denoising score matching (Vincent 2011).
- **forward-model energy**: a network learns the other direction, posture to place, which *is* a function; its square
  error read as an energy of the posture (Jordan and Rumelhart 1992).
- **latent variable**: a variational autoencoder of place and posture together; its latents settle on the place alone
  and then say the posture.

Energies are settled by 60 steps of Adam over the angles (of the last, over the latents) from 16 starts drawn at
random; the end with the lowest energy is the answer. 300 places never seen. *Both found*: among all answers given to a
place one is within about 0.2 rad of each true posture.""",
    (
        ERROR,
        Shown("found", "share of places with both postures found (higher is better)"),
        Shown("operations", "multiplications for one answer", decimals=0),
    ),
    2,
    (
        *_against(FUNCTION, (MIXTURE,), "error"),
        *_against(MIXTURE, ENERGIES, "error"),
        *_against("contrast energy", ("forward-model energy",), "error"),
        *_against(MIXTURE, ENERGIES, "found"),
    ),
    """\
Two numbers in, two angles out, little noise, data from everywhere: nothing is said of many dimensions, where 16 random
starts find less. What settling buys is paid for: three orders of magnitude more multiplications for an answer. The
forward model knows something that the others do not, namely which direction is a function. The mixture's best answer is
the mean of a part, not refined; its density could be settled like an energy.""",
)

ONE_SIDED = Section(
    "one-sided",
    "1b. The same where the relation is a function",
    """\
The same arm, learners and settings, but the elbow is only ever bent one way: to a place belongs one posture. Here a
feedforward network can be right.""",
    (ERROR, Shown("true", "share of best answers that are the posture in question (higher is better)")),
    2,
    (
        *_against(FUNCTION, (MIXTURE, *ENERGIES), "error"),
        *_against(FUNCTION, (MIXTURE, *ENERGIES), "true"),
    ),
    """\
The settings are those found for the relation with two postures. The forward model may answer with the posture that was
never seen, as nothing told it which are likely; its hand is at the place all the same.""",
)

TAUGHT = ("taught at the data", "taught everywhere")
SETTLED = "feedforward (settled)"
EVERYWHERE = "taught everywhere"

CONSERVATION = Section(
    "conservation",
    "2. A law that is known beforehand",
    """\
A pendulum without friction: from n measured transitions (time step 0.5, noise 0.02) a network of about 1,700 weights
learns the change of angle and velocity. That mechanical energy H stays is known. Three ways to learn:

- **feedforward**: square error.
- **taught at the data**: the same, plus (H(predicted) − H(before))² / 2 w² at the training states (physics-informed, as
  Raissi et al. 2019).
- **taught everywhere**: that penalty at as many states without data, drawn anew in every step, half of them in the
  range beyond, in which it will be asked.

Each answers in two ways: with the network's prediction, or **settled**: the energy
|z − f(x)|² / 2 + (H(z) − H(x))² / 2 w² with w = 0.01 is lowered over the next state z by five steps of Gauss-Newton
from the prediction f(x). The law is a term of the energy, added after learning. Courses of 20 steps, 100 from states
*within* the range of the data (H from −1 to −0.2, swings up to 78°) and 100 *beyond* (H from 0 to 0.8, swings of 90° to
143°); distance from the true state (angle, velocity), averaged along the course.""",
    (
        Shown("within course", "distance along courses within the range (lower is better)", logarithmic=True),
        Shown("beyond course", "distance along courses beyond it (lower is better)", logarithmic=True),
        Shown("within step", "distance after one step, within", logarithmic=True, decimals=4),
        Shown("beyond step", "distance after one step, beyond", logarithmic=True, decimals=4),
        Shown("beyond energy", "how far mechanical energy strays, beyond", logarithmic=True, decimals=4),
    ),
    2,
    (
        *_against(FUNCTION, (SETTLED, *TAUGHT), "within course"),
        *_against(EVERYWHERE, (SETTLED, f"{EVERYWHERE} (settled)"), "within course"),
        *_against(FUNCTION, (SETTLED, *TAUGHT), "beyond course"),
        *_against(EVERYWHERE, (SETTLED, f"{EVERYWHERE} (settled)"), "beyond course"),
    ),
    """\
The law is exactly true, and one number of the two that make up a state: it says how far out the state is, nothing about
when it comes by. A law that is only nearly true was not tried. Settling needs the law when it answers, teaching only
while it learns. When the network's own residual variance took the place of the 1 in the first term, it was so small
after learning from 30 transitions that the law hardly counted: a network's opinion of its errors is no safe weight.""",
)

AMORTIZED, TRAINED, ALONE = "amortized", "settled in training", "settled without encoder (settled at test)"
AT_TEST, ENCODER = "settled at test", "encoder at test"

LATENTS = Section(
    "latents",
    "3. Settling while learning, at test time only, or never",
    """\
Small pictures made in code (8 x 8 pixels, seven-segment digits, shifted, slanted, of different width and brightness,
noise of 0.05), n of them to learn from. The energy is that of a variational autoencoder: decoder with a learned
variance, standard normal prior; about 7,500 weights, 1,000 steps of Adam. Learned in three ways:

- **amortized**: the encoder's belief, its bound lowered by both (Kingma and Welling 2014).
- **settled in training**: from the encoder's start two steps of Gauss-Newton; the decoder learns at the settled belief,
  the encoder learns to say it.
- **settled without encoder**: the same from zero; the encoder's weights go to the decoder.

Each answers with the **encoder** alone or **settled** (20 steps of Gauss-Newton, Laplace belief). 200 pictures never
seen. *Minus log evidence* says how good the model is, whatever its inference (importance sampling, 200 draws around the
settled belief); the *bound* what the inference makes of it. *Halves*: one half of the picture is missing; *scattered*:
every pixel is missing with probability one half; root mean square error there. Settled answers are the mean of those
from six starts, weighed by their Laplace evidence; the encoder fills in what is missing in 20 rounds of reading and
writing. **feedforward** is a network that was trained to fill in halves, and nothing else.""",
    (
        Shown("evidence", "minus log evidence (nats, lower is better)", decimals=1),
        Shown("halves", "error of missing halves (lower is better)"),
        Shown("scattered", "error of scattered pixels (lower is better)"),
        Shown("bound", "bound on minus log evidence that the inference reaches (nats)", decimals=1),
        Shown("cleaned", "error of noisy pictures cleaned"),
    ),
    3,
    (
        *_against(f"{AMORTIZED} ({AT_TEST})", (f"{TRAINED} ({AT_TEST})", ALONE), "evidence"),
        *_against(f"{AMORTIZED} ({ENCODER})", (f"{AMORTIZED} ({AT_TEST})", f"{TRAINED} ({ENCODER})"), "bound"),
        *_against(f"{AMORTIZED} ({ENCODER})", (f"{AMORTIZED} ({AT_TEST})",), "halves"),
        *_against(f"{AMORTIZED} ({AT_TEST})", (f"{TRAINED} ({AT_TEST})", ALONE, FUNCTION), "halves"),
        *_against(f"{AMORTIZED} ({AT_TEST})", (f"{TRAINED} ({AT_TEST})", ALONE, FUNCTION), "scattered"),
    ),
    """\
One small family of pictures, one number of steps for all: with other numbers of steps the order with few data may
differ, as those who fit the training pictures better also learn their noise sooner. Nobody was stopped early or
regularized beyond the model's own prior. Settling while learning costs time: several times that of learning with the
encoder alone, at equal steps. Scattered pixels are asked of a function that was trained for halves; trained for
both it would do better, but it must be trained for whatever it will be asked.""",
)

SECTIONS = (RELATIONS, ONE_SIDED, CONSERVATION, LATENTS)
