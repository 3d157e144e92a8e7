"""The data sets, mostly the papers': rights, files and protocol of each. Checksums are those that somebody published.

Checksums and Google Drive ids: CelebA and WIDER FACE, torchvision's data set classes; FFHQ, NVlabs/ffhq-dataset; SCGAN, its page;
LFW, scikit-learn's sklearn/datasets/_lfw.py.
"""

from collections.abc import Mapping
from types import MappingProxyType

from facesr_tools.download import RemoteFile
from facesr_tools.prepare import listing
from facesr_tools.prepare.by_request import BICUBIC, BY_REQUEST, PHOTOGRAPHS, RESEARCH, UNKNOWN
from facesr_tools.prepare.description import Description, Origin, PrepareError

DRIVE = "Google Drive, linked from the terms page; it refuses when too many people ask: try later, or in a browser"


def _drive(name: str, identifier: str, md5: str = "", size: int | None = None) -> RemoteFile:
    return RemoteFile(name, (listing.google_drive(identifier),), size, md5)


LINEAR = "OpenCV's INTER_LINEAR without antialiasing, 8 bit, as ISR-KD's released code"

_CELEBA = Origin(
    family="celeba",
    licence=RESEARCH,
    terms="http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    credit="CelebA (Liu et al. 2015), non-commercial research only",
    identities="published; the official partition keeps people apart",
)
_CELEBA_LISTS = (
    _drive("list_eval_partition.txt", "0B7EVK8r0v71pY0NSMzRuSXJEVkk", "d32c9cbf5e040fd4025c592c306e6668"),
    _drive("identity_CelebA.txt", "1_ee_0u7vcNLOfNLegJRHmolfH5ICW-XS", "32bd1bd63d3c78cd57e08160ec5ed1e2"),
)
_FFHQ = Origin(
    family="ffhq",
    licence="CC BY-NC-SA 4.0; every photograph has its own licence",
    terms="https://github.com/NVlabs/ffhq-dataset",
    credit="FFHQ (Karras et al. 2019), CC BY-NC-SA 4.0, NVIDIA",
    identities=UNKNOWN,
)
_FFHQ_LIST = _drive(listing.FFHQ_LIST, "16N0RV4fHI6joBuKbQAoG34V_cQk7vxSA", "425ae20f06a4da1d4dc0f46d40ba5fd6", 267_793_842)

# In order of preference where a paper used several.
_DESCRIPTIONS = (
    Description(
        name="ffhq-1024",
        title="FFHQ, 1024 px",
        kind="faces",
        protocol=(
            "as published, 1024x1024 px; 500 of the 70,000 images at random: 250 train, 100 val, 150 test, as the paper. It does "
            f"not say which; ours are drawn with seed {listing.FFHQ_SEED}, by the SHA-256 of SEED/NUMBER [ours]"
        ),
        files=(_FFHQ_LIST,),
        ask="500 images (0.7 GB) are downloaded one by one from FFHQ's list; or give a folder images1024x1024",
        index=listing.ffhq_drawn,
        size=1024,
        limits={"train": 250, "val": 100, "test": 150},
        pictures=listing.ffhq_pictures,
        origin=_FFHQ,
    ),
    Description(
        name="celeba-wild",
        title="CelebA, in the wild, cut by landmarks",
        kind="faces",
        protocol=(
            "square box from DIC's annotations (landmarks.json) where given, else from CelebA's five landmarks [ours], to "
            f"128x128 px; {BICUBIC}. Split: the official partition (the paper: 168,854 / 1,000 images, DIC's own choice)"
        ),
        files=(RemoteFile("img_celeba"), RemoteFile("list_landmarks_celeba.txt"), *_CELEBA_LISTS),
        ask=(
            "the folder img_celeba comes as img_celeba.7z.001 to .014 from the terms page: unpack them with 7z (7z x "
            "img_celeba.7z.001); list_landmarks_celeba.txt lies in the folder Anno there"
        ),
        index=listing.celeba_wild,
        size=128,
        origin=_CELEBA,
    ),
    Description(
        name="helen",
        title="Helen, cut by landmarks",
        kind="faces",
        origin=Origin(
            family="helen",
            licence="research; photographs from Flickr keep their owners' rights",
            terms="http://www.ifp.illinois.edu/~vuongle2/helen/",
            credit="Helen (Le et al. 2012), photographs from Flickr, for research",
            identities=UNKNOWN,
        ),
        protocol=(
            "square box from DIC's annotations (landmarks.json), else from Helen's 194 landmarks [ours], to 128x128 px; "
            f"{BICUBIC}. Test: testnames.txt where given, else the last 50 by name [ours]"
        ),
        files=(*(RemoteFile(f"helen_{number}.zip") for number in range(1, 6)), RemoteFile("annotation.zip")),
        ask="the five archives of images, the annotations and testnames.txt are on the terms page",
        index=listing.helen,
        size=128,
    ),
    Description(
        name="bulat",
        title="Bulat, Yang and Tzimiropoulos's faces",
        kind="faces",
        origin=Origin(
            family="bulat",
            licence="of the sets it is made of (CelebA, AFLW, LS3D-W, VGGFace2, WIDER FACE): research",
            terms="https://github.com/jingyang2017/Face-and-Image-super-resolution",
            credit="Faces as prepared by Bulat, Yang and Tzimiropoulos (2018), for research",
            identities=UNKNOWN,
        ),
        protocol="as shipped: HR 64x64, LR 16x16 px; a tenth of the HR images, drawn, is val and test [ours]",
        files=(RemoteFile("Dataset"), RemoteFile("testset.tar")),
        ask="the folder Dataset (with HIGH and LOW) and testset.tar, as the terms page says; ask its authors if the link is gone",
        index=listing.as_shipped({"train": "HIGH", "real_lr/train": "LOW", "real_lr/test": "testset"}),
        size=64,
    ),
    Description(
        name="scgan",
        title="SCGAN's prepared archive",
        kind="faces",
        origin=Origin(
            family="scgan",
            licence="academic research only",
            terms="https://github.com/HaoHou-98/SCGAN",
            credit="FFHQ, WIDER FACE, LS3D-W and WebFace as prepared for SCGAN (Hou et al. 2022), academic research only",
            identities=UNKNOWN,
        ),
        protocol=(
            "as shipped: HR 64x64, LR 16x16 px, originals of test faces where given; a tenth of the HR images, drawn, is val "
            "and test [ours]"
        ),
        files=(_drive("scgan.zip", "12FURoPwr6G1j3DOOsgIYQSnXxg8mR0qU"),),
        ask=(
            "Google Drive, linked from the terms page, under whatever name; it holds imgs_train and imgs_test. PSNR on LS3D-W "
            "and FFHQ needs the originals of their faces: if you have them, give them as reference/LS3D-w_balanced and "
            "reference/FFHQ, under the LR faces' file names"
        ),
        index=listing.scgan,
        size=64,
    ),
    Description(
        name="ffhq-128",
        title="FFHQ, thumbnails",
        kind="faces",
        protocol="as published, 128x128 px; readers make them smaller",
        files=(RemoteFile("thumbnails128x128"), _FFHQ_LIST),
        ask="70,000 files (1.95 GB): thumbnails128x128 from the terms page, or by its download_ffhq.py --thumbs",
        index=listing.ffhq("thumbnails128x128", "thumbnail"),
        size=128,
        origin=_FFHQ,
    ),
    Description(
        name="widerface",
        title="WIDER FACE, small faces",
        kind="real LR",
        origin=Origin(
            family="widerface",
            licence="research; images collected from the web",
            terms="http://shuoyang1213.me/WIDERFACE/",
            credit="WIDER FACE (Yang et al. 2016), for research",
            identities=PHOTOGRAPHS,
        ),
        protocol=(
            "square of the box's longer side, 12 to 36 px, at most normal blur and partial occlusion, valid, to 16x16 px; "
            f"{BICUBIC} [ours]"
        ),
        files=(
            _drive("WIDER_train.zip", "15hGDLhsx8bLgLcIRD5DhYt5iBxnjNF1M", "3fedf70df600953d25982bcd13d91ba2"),
            _drive("WIDER_val.zip", "1GUCogbp16PMGa39thoMMeWxp7Rp5oM8Q", "dfa7d7e790efa35df3788964cf0bbaea"),
            RemoteFile(
                "wider_face_split.zip",
                ("http://shuoyang1213.me/WIDERFACE/support/bbx_annotation/wider_face_split.zip",),
                md5="0e3767bcf0e326556d407bf5bff5d27c",
            ),
        ),
        ask=DRIVE,
        index=listing.widerface,
        size=16,
    ),
    Description(
        name="celeba",
        title="CelebA, aligned",
        kind="faces",
        protocol=f"the whole aligned image, squashed to 128x128 px; {LINEAR}",
        files=(
            _drive("img_align_celeba.zip", "0B7EVK8r0v71pZjFTYXZWM3FlRnM", "00d2c5bc6d35e252742224ab0c1e8fcb"),
            *_CELEBA_LISTS,
        ),
        ask=DRIVE,
        index=listing.celeba_aligned,
        size=128,
        without_box="whole",
        resize="linear",
        origin=_CELEBA,
    ),
    Description(
        name="icartoonface",
        title="iCartoonFace, recognition",
        kind="cartoons",
        origin=Origin(
            family="icartoonface",
            licence="repository MIT; the drawings keep their owners' rights",
            terms="https://github.com/luxiangju-PersonAI/iCartoonFace",
            credit="iCartoonFace (Zheng et al. 2020)",
            identities="published characters; a draw puts 90 % of them in train, 5 % each in val and test [ours]",
        ),
        protocol=f"the whole picture, squashed to 128x128 px; {LINEAR}",
        files=(RemoteFile("personai_icartoonface_rectrain.zip"),),
        ask="the recognition training set, linked from the terms page (Google Drive, or iQIYI with the password given there)",
        index=listing.folder_per_person("icartoonface_rectrain"),
        size=128,
        without_box="whole",
        resize="linear",
    ),
    Description(
        name="lfw",
        title="Labeled Faces in the Wild, funneled",
        kind="faces",
        origin=Origin(
            family="lfw",
            licence="none stated; made for research; news photographs keep their owners' rights",
            terms="https://vis-www.cs.umass.edu/lfw/",
            credit="Labeled Faces in the Wild (Huang et al. 2007), news photographs, for research",
            identities=(
                "published names, a few of them wrong, as its page says; a draw by name puts 75 % of the people in train, "
                "7.5 % in val and 17.5 % in test [ours]"
            ),
        ),
        protocol="the middle 128x128 of 250x250 px, where the funneled pictures have the face; not resized [ours]",
        files=(
            RemoteFile(
                "lfw-funneled.tgz",
                ("https://ndownloader.figshare.com/files/5976015",),
                sha256="b47c8422c8cded889dc5a13418c4bc2abbda121092b3533a83306f90d900100a",
            ),
        ),
        ask="lfw-funneled.tgz (230 MB) from the terms page, or the copy at the address in `facesr data info lfw`",
        index=listing.folder_per_person("lfw_funneled", shares=listing.LFW_SHARES, middle=listing.LFW_MIDDLE),
        size=128,
    ),
)

CATALOGUE: Mapping[str, Description] = MappingProxyType(
    {description.name: description for description in (*_DESCRIPTIONS, *BY_REQUEST)}
)


def described(name: str) -> Description:
    """The catalogue's entry `name`. Raises PrepareError, with the valid names, for an unknown one."""
    try:
        return CATALOGUE[name]
    except KeyError:
        raise PrepareError(f"no data set is called {name!r}; valid: {', '.join(CATALOGUE)}") from None
