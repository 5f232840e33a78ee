"""What the Inside tab says."""

EXPLANATION = [
    r"""### Three questions per pixel
The network never says a colour. It gives 256 probabilities for red; once red is drawn, 256 for green; then for blue:
$$p(x_{R}\mid\mathbf{x}_{<})\;p(x_{G}\mid x_{R},\mathbf{x}_{<})\;p(x_{B}\mid x_{R},x_{G},\mathbf{x}_{<})$$
where $\mathbf{x}_{<}$ is everything before this pixel (section 2 of the paper). The *surprise* of a value is
$-\log_2 p$: one bit where it came with a chance of one half, ten bits for one in a thousand. *Entropy* is the surprise
one expects, and *rank* 1 is the likeliest value. All surprises together are the length of the picture in bits.""",
    r"""### The blind spot
Each layer looks one pixel further than the one before. In a single stack of masked 3 × 3 layers, one step up goes with
one step to the side at most: a wedge up to the right stays unseen however many layers there are (figure 1). The Gated
PixelCNN has two stacks, one for all rows above and one for the row itself, and misses nothing (figure 2). How one
knows: in a network of random weights, change an earlier pixel a little. If the prediction does not move at all
($\partial\,\mathrm{logits}/\partial x_j=0$), that pixel is not seen.""",
    r"""### Cause and effect
To draw a value, a random number $u_i$ between 0 and 1 is thrown. The probabilities are added up, shade after shade,
until they exceed it: $x_i=F^{-1}(u_i\mid\mathbf{x}_{<i})$. Keep all the $u$, and one changed pixel shows everything
that it causes. A drawn picture has the $u$ of its seed. A photo was never thrown; for it we take numbers that *would
have* thrown it, $F(x_i-1)\le u_i<F(x_i)$, so that “before” is the photo itself.""",
    r"""### All at once
With the random numbers fixed, only one picture fits everywhere, $x_i=F^{-1}(u_i\mid\mathbf{x}_{<i})$ for every $i$. So
guess all values, let the network correct all of them in one go, and repeat (Jacobi iteration). Each pass makes at least
one more value right for good, and usually many. When nothing changes any more, everything fits.""",
]

LEAD = """<p class="lead">See what the network expects at every pixel, and all that changes if you paint a single
one.</p>"""
EXAMPLE = "Example: one pixel of a photo was painted cyan, and everything that changed because of it lights up."
YOURS = "You painted {what}, and everything that changed because of that lights up."
PHOTO = "A photo. Click a pixel: what did the network expect there?"
SAMPLE = "The network drew this. Click a pixel: what were its chances?"
DRAWING = "The network is drawing, pixel after pixel."
REDRAWING = "The network draws everything after your pixel again."
FIELDS = """<h3>What can the network see from here?</h3><p class="legend">Two networks predict the framed pixel.
<span class="seen">Blue</span> is seen; <span class="blind">orange</span> is there already and not seen: the blind spot.
The rest comes later.</p>"""
CHANGES = """<p class="legend">Bright: what came out different because of the paint. Dark: what stayed as it was.</p>"""
SURPRISE = """<p class="legend">How many bits a pixel costs: pale, the network saw it coming; dark, a surprise.</p>"""
MASK = """<p class="legend">A mask keeps the network from looking ahead. That of the first layer, {kernel} × {kernel},
lies on the pixel that you point at: <span class="seen">blue</span> is read; crossed out is hidden, as it comes
later.</p>"""
ALL_AT_ONCE = """Guess all {steps:,} values, red, green and blue of every pixel. Let the network correct all of them in
one go; and again, until nothing changes. """
PASSES = ALL_AT_ONCE + """For the picture above that took <b>{passes}</b> passes instead of <b>{steps:,}</b> steps one
after another, and the result is exactly the same: where everything before a value is right, so are its odds, and the
same random number draws the same value. What is right grows from the first pixel on, and stays."""
PASSES_UNKNOWN = ALL_AT_ONCE + """Press <b>Play</b>: the picture above is drawn so, and its passes are counted."""
