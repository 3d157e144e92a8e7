# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The explorers of trained networks, with networks that nobody trained
#
# Their own notebooks train for this; what the sliders do, they do here too. Each stands beside its static twin.

# %% tags=["parameters"]
PROFILE = "smoke"
DEVICE = "cpu"
OUTPUT_DIR = ""

# %%
import torch

from facesr_lib.data.samples import astronaut_face
from facesr_lib.evaluate import Run
from facesr_lib.explore.edge_priors import edge_priors, edge_priors_widget
from facesr_lib.explore.forgetting import forgetting_slider, forgetting_strip, kd_explorer, kd_map
from facesr_lib.explore.growing import growth_explorer, growth_strip
from facesr_lib.image import resize_bicubic
from facesr_lib.papers import selfsr, teacher_student
from facesr_lib.plot import style

style()
run = Run.start(
    "untrained_networks", title="Explorers", paper=None, profile=PROFILE, seed=0, device=DEVICE, output_dir=OUTPUT_DIR
)
hr = astronaut_face(64)
lr = resize_bicubic(hr, 1 / 4).clamp(0, 1)

# %%
growing = selfsr.SelfSR(selfsr.Config.preset("smoke").paired)
growing.build()
run.figure(growth_strip(growing, lr, hr), "growth", "A network that grows", "Portraits, each twice as large as the last.")

# %%
growth_explorer(growing, lr)

# %%
network = teacher_student.RecurrentSR(4, 1).eval()
run.figure(edge_priors(network, lr, hr, [network.edges]), "priors", "What the steps see", "Portraits and edge maps.")

# %%
edge_priors_widget(network, torch.cat([lr, lr.flip(3)]), torch.cat([hr, hr.flip(3)]))

# %%
film = [(step, hr * (1 - step / 200)) for step in range(0, 101, 10)]
films = {"fine-tuned": film, "distilled": film[::2]}
run.figure(forgetting_strip(films, hr, 0), "forgetting", "A face that gets darker", "Two rows of five portraits.")

# %%
forgetting_slider(films, hr, hr)

# %%
runs = [
    {"output KD": output, "bottleneck KD": inner, "faces (dB)": 18 + output, "cartoons (dB)": 15 - inner}
    for output in (0.0, 1.0)
    for inner in (0.0, 0.5)
]
run.figure(kd_map(runs), "distillation", "What the weights buy", "Four points with their weights.")

# %%
kd_explorer(runs)

# %%
run.finish()
