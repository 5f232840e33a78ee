"""What each rung of the ladder assumes about images, and why it stands where it stands: a sentence or two for each; and
what it is, in half a sentence, wherever its name stands."""

WORDS = {
    "uniform": "Assumes nothing: all 256 shades are equally probable. It costs what a raw file costs.",
    "gaussian": "Assumes one big Gaussian: any two pixels are related by a straight line. Neighbours are alike, and "
                "that alone saves bits; but a photo is not a cloud around one mean picture.",
    "nice": "Assumes coordinates in which an image is plain noise, and finds them by shifting some numbers by "
            "functions of others. Shifts bend space but never stretch it: a smooth sky and a busy wood get equally "
            "much room.",
    "deep-diffusion": "Assumes that noise can be taken away in many small steps, each for all pixels at once. What it "
                      "says is a bound, and every step adds a little to it.",
    "draw": "Assumes that an image can be told in a few short messages; then each number is filled in without a look "
            "at the others. A sharp detail must be spelled out in the messages, and they are too short for that.",
    "deep-gmm": "Assumes that an image is one of many kinds, and inside its kind a Gaussian. Smooth and busy images "
                "get Gaussians of their own, but edges are not straight-line relations.",
    "conv-draw": "Assumes the same as DRAW, but its messages are maps: an edge is the same message wherever it is. "
                 "Details now fit through.",
    "ride": "Assumes an order instead of a shape: pixels one after another, each guessed from those before as a mix "
            "of a few bell curves. Any image can be told in such an order; all that is lost is what bell curves "
            "cannot say.",
    "plain": "No bell curves either: each of the 256 levels gets a probability of its own, so a pixel may well be "
             "black or white and nothing between. It learns from all pixels at once, but a blind spot hides what lies "
             "above to the right.",
    "row-lstm": "An LSTM walks down the rows: a wider view than a few convolutions have, bought with waiting for the "
                "row before.",
    "diagonal-bilstm": "An LSTM along the diagonals, from both sides: sees everything above and to the left. The best "
                       "of its day, and the slowest.",
    "pixelcnn": "The paper's model: two stacks of convolutions without a blind spot, and the gates that made the LSTM "
                "strong. What the PixelRNN sees, for what the PixelCNN costs.",
    "chain": "Not in the paper's table: 8×8 first, then the finer picture given the coarse one. Its minutes are split "
             "between a network for each size, and its bits count the coarse picture as well as the fine one.",
}

# For a reader who has not met the model: what it is, in half a sentence.
IN_SHORT = {
    "uniform": "no model at all: every shade is equally probable",
    "gaussian": "one bell curve over all pixels at once: which of them go together",
    "nice": "a network that bends an image until it is plain noise",
    "deep-diffusion": "the ancestor of today’s diffusion models: it takes noise away in many small steps",
    "draw": "a network that paints an image in a few sweeps, after short messages",
    "deep-gmm": "a mixture of Gaussians: images sorted into kinds, with a bell curve for each",
    "conv-draw": "DRAW with messages that are maps, as images are",
    "ride": "a simple model that guesses each pixel with a few bell curves",
    "plain": "its forerunner, with a blind spot",
    "row-lstm": "a memory (LSTM) that walks down the rows",
    "diagonal-bilstm": "a memory (LSTM) that walks along the diagonals, from both sides: the slow rival",
    "pixelcnn": "the paper’s model: no blind spot, and gates",
    "chain": "a small picture first, then finer ones from it",
}
# The names in the race and in the paper's tables -> the keys of the ladder.
KEYS = {"Uniform": "uniform", "Uniform distribution": "uniform", "Multivariate Gaussian": "gaussian", "NICE": "nice",
        "Deep Diffusion": "deep-diffusion", "DRAW": "draw", "Deep GMMs": "deep-gmm", "Conv DRAW": "conv-draw",
        "RIDE": "ride", "PixelCNN": "plain", "Row LSTM": "row-lstm", "Diagonal BiLSTM": "diagonal-bilstm",
        "PixelRNN": "diagonal-bilstm", "Gated PixelCNN": "pixelcnn"}


def in_short(name: str) -> str:
    """What the model called `name` in the race or in the paper's tables is; empty for others."""
    return IN_SHORT.get(KEYS.get(name, ""), "")


# Where the order here is not the paper's: why. The numbers stand in the files.
MOVED = {
    "gaussian": "it is fitted in closed form, so it is finished while the networks are still learning",
    "deep-gmm": "a mixture begins near the Gaussian and improves from there, in few minutes",
    "nice": "too few minutes: a flow has to find by gradient descent what the Gaussian gets from a formula",
    "deep-diffusion": "a network and a noise schedule of today learn faster than those of 2015 did",
    "draw": "too few minutes: layers without shared weights have seen too few photos, and the messages say next to "
            "nothing yet, so the canvas is nearly the mean photo with noise",
    "conv-draw": "too few minutes: what a message costs falls only as the prior learns to predict it",
    "ride": "too few minutes for the others: its bell curves know from the start that levels beside each other are "
            "alike, which a model with a probability for each of 256 levels has to learn from data",
    "plain": "in a minute the fastest network sees the most photos, and at 16×16 its blind spot is small",
    "diagonal-bilstm": "too few minutes: it goes diagonal by diagonal, and sees the fewest photos in the same time",
    "pixelcnn": "too few minutes: a model with a probability for each of 256 levels has to learn from data that "
                "levels beside each other are alike, which RIDE's bell curves know from the start",
}
