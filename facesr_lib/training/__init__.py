"""Training that knows no paper: the Trainer, checkpoints, schedules and the stage cache."""

from facesr_lib.training.checkpoint import WrongRun, checkpoints, load_latest, load_weights, read_facts, save_checkpoint
from facesr_lib.training.device import Device, resolve_device
from facesr_lib.training.log import CsvLog
from facesr_lib.training.method import Batch, Method, SuperResolver, evaluating, frozen, unwrap
from facesr_lib.training.setting import Setting
from facesr_lib.training.stages import Stage, StageCache, train_stage
from facesr_lib.training.trained import Trained
from facesr_lib.training.trainer import NonFiniteLoss, Trainer, TrainerOptions
