"""What the Inside tab says."""

EXPLANATION = [
    r"""### Three questions per pixel
The network never says a colour. It gives 256 probabilities for red; once red is drawn, 256 for green; then for blue:
$$p(x_{R}\mid\mathbf{x}_{<})\;p(x_{G}\mid x_{R},\mathbf{x}_{<})\;p(x_{B}\mid x_{R},x_{G},\mathbf{x}_{<})$$
Section 2 of the paper. *Surprise* is $-\log_2 p$ of the value that came, *entropy* the surprise one expects. A *rank*
of 1 is the likeliest value. The sum of all surprises is the length of the picture in bits.""",
    r"""### The blind spot
A stack of masked 3 × 3 convolutions goes one step to the side for each row it climbs: a wedge up to the right stays
unseen at any depth (figure 1). The Gated PixelCNN has two stacks, one for all rows above and one for the row itself
(figure 2): nothing is missing. It was asked of networks with random weights, by gradient: what has
$\partial\,\mathrm{logits}/\partial x_j=0$ cannot matter.""",
    r"""### Cause and effect
Every value is the inverse of its cumulative distribution at one random number $u_i$:
$x_i=F^{-1}(u_i\mid\mathbf{x}_{<i})$. With $\mathbf{u}$ fixed each pixel is a function of its past, so one changed
pixel shows all it causes. A sample has the $\mathbf{u}$ of its seed. A photo was drawn by no noise: for it we take a
$\mathbf{u}$ that *would have* drawn it, $F(x_i-1)\le u_i<F(x_i)$, so that “before” is the photo itself.""",
    r"""### All at once
With $\mathbf{u}$ fixed the picture is the one solution of $x_i=F^{-1}(u_i\mid\mathbf{x}_{<i})$ for all $i$. Guess
every sub-pixel, correct all of them at once with one evaluation of the network, and repeat (Jacobi iteration): each
pass makes at least one more sub-pixel right for good, and usually many. When nothing changes any more, every equation
holds.""",
]

OPENING = ("Click a pixel to see what the model expected there. Choose a colour, and click to paint: everything after "
           "it is drawn again.")
CAUSED = "One pixel painted, and everything after it drawn again with the same random numbers."
PASSES = """<h3>The same picture, all pixels at once</h3>
<p class="legend">Guess every sub-pixel; correct all of them with one evaluation of the network; repeat until nothing
changes. That took <b>{passes}</b> passes, where one after another takes <b>{steps:,}</b> steps. The picture is
identical, because a pixel whose past is right is drawn from the right odds with the same random number: pass after
pass, what is right grows from the first pixel on, and stays.</p>"""
