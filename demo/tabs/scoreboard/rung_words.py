"""What each rung of the ladder assumes about images, and why it stands where it stands: a sentence or two for each."""

WORDS = {
    "uniform": "Assumes nothing: all levels of a sub-pixel are equally probable. It costs what a raw file costs.",
    "gaussian": "Assumes one big Gaussian: any two pixels are related by a straight line. Neighbours are alike, and "
                "that "
                "alone saves bits; but a photo is not a cloud around one mean picture.",
    "nice": "Assumes coordinates in which an image is plain noise, and finds them by shifting some numbers by "
            "functions "
            "of others. Shifts bend space but never stretch it: a smooth sky and a busy wood get equally much room.",
    "deep-diffusion": "Assumes that noise can be taken away in many small steps, each for all pixels at once. What "
                      "it says "
                      "is a bound, and every step adds a little to it.",
    "draw": "Assumes that an image can be told in a few short messages, after which all sub-pixels are independent. "
            "Whatever must be exact has to go through the messages, and these are narrow.",
    "deep-gmm": "Assumes that an image is one of many kinds, and inside its kind a Gaussian. Smooth and busy images "
                "get "
                "Gaussians of their own, but edges are not straight-line relations.",
    "conv-draw": "Assumes the same as DRAW, but its messages are maps: an edge is the same message wherever it is. "
                 "Details now fit through.",
    "ride": "Assumes an order instead of a shape: pixels one after another, each a few smooth humps given those "
            "before. "
            "The chain rule holds for any image, so nothing is lost but by the humps.",
    "plain": "Drops the humps too: a softmax over all levels, which may have gaps and peaks. Convolutions see all "
             "pixels "
             "at once while training; but a blind spot hides what lies above to the right.",
    "row-lstm": "An LSTM walks down the rows: a wider view than a few convolutions have, bought with waiting for the "
                "row "
                "before.",
    "diagonal-bilstm": "An LSTM along the diagonals, from both sides: sees everything above and to the left. The "
                       "best of its "
                       "day, and the slowest.",
    "pixelcnn": "The paper's model: two stacks of convolutions without a blind spot, and the gates that made the LSTM "
                "strong. What the PixelRNN sees, for what the PixelCNN costs.",
    "chain": "Not in the paper's table: 8×8 first, then the finer picture given the coarse one. The steps together "
             "are at "
             "most what the image needs, and the coarse picture is settled before the details.",
}

# Where the order here is not the paper's: why. The numbers stand in the files.
MOVED = {
    "gaussian": "it is fitted in closed form, so it is finished while the networks are still learning",
    "deep-gmm": "a mixture begins near the Gaussian and improves from there, in few minutes",
    "nice": "too few minutes: a flow has to find by gradient descent what the Gaussian gets from a formula",
    "deep-diffusion": "a network and a noise schedule of today learn faster than those of 2015 did",
    "draw": "too few minutes: layers without shared weights have seen too few photos, and the messages say next to "
            "nothing "
            "yet, so the canvas is nearly the mean photo with noise",
    "conv-draw": "too few minutes: what a message costs falls only as the prior learns to predict it",
    "ride": "too few minutes for the others: its humps know from the start that levels beside each other are alike, "
            "which a "
            "softmax over 256 levels has to learn from data",
    "plain": "in a minute the fastest network sees the most photos, and at 16×16 its blind spot is small",
    "diagonal-bilstm": "too few minutes: it goes diagonal by diagonal, and sees the fewest photos in the same time",
    "pixelcnn": "too few minutes: a softmax over 256 levels has to learn from data that levels beside each other are "
                "alike, "
                "which RIDE's humps know from the start",
}
