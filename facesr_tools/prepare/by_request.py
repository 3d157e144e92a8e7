"""Sets to request from their authors. No preset needs them by themselves: other sets are made from them."""

from facesr_tools.download import RemoteFile
from facesr_tools.prepare import listing
from facesr_tools.prepare.description import Description, Origin

RESEARCH = "non-commercial research only"
BICUBIC = "Pillow's antialiased bicubic, 8 bit"
UNKNOWN = "unknown: each picture counts as a person, and one may be in train and test"
PHOTOGRAPHS = "unknown: all faces of a photograph stay on one side"

BY_REQUEST = (
    Description(
        name="ls3dw",
        title="LS3D-W balanced",
        kind="faces",
        origin=Origin(
            family="ls3dw",
            licence="research, on request",
            terms="https://www.adrianbulat.com/face-alignment",
            credit="LS3D-W (Bulat and Tzimiropoulos 2017), research",
            identities=UNKNOWN,
        ),
        protocol=f"by landmarks68.csv (file, x0, y0, ...) if you add it, else the centre square, to 64x64 px; {BICUBIC} [ours]",
        files=(RemoteFile("LS3D-W"),),
        ask="ask for it on the terms page, then unpack its pictures into a folder named LS3D-W",
        index=listing.loose_images,
        size=64,
    ),
    Description(
        name="aflw",
        title="AFLW",
        kind="faces",
        origin=Origin(
            family="aflw",
            licence=RESEARCH,
            terms="https://www.tugraz.at/institute/icg/research/team-bischof/lrs/downloads/aflw/",
            credit="AFLW (Koestinger et al. 2011), non-commercial research",
            identities=PHOTOGRAPHS,
        ),
        protocol=f"squares of the published face rectangles, to 64x64 px; {BICUBIC} [ours]",
        files=(RemoteFile("aflw.sqlite"), RemoteFile("flickr")),
        ask="ask for it on the terms page; needed are aflw.sqlite and the folder flickr with the photographs",
        index=listing.aflw,
        size=64,
    ),
    Description(
        name="vggface2",
        title="VGGFace2",
        kind="faces",
        origin=Origin(
            family="vggface2",
            licence="research, as its page states; photographs from the web",
            terms="https://www.robots.ox.ac.uk/~vgg/data/vgg_face2/",
            credit="VGGFace2 (Cao et al. 2018), research",
            identities="published; the official train and test share no person",
        ),
        protocol=f"squares of the published loose boxes, to 64x64 px; {BICUBIC} [ours]",
        files=tuple(RemoteFile(name) for name in ("vggface2_train.tar.gz", "vggface2_test.tar.gz", "bb_landmark.tar.gz")),
        ask=(
            "its makers no longer offer it; if you have them, give vggface2_train.tar.gz, vggface2_test.tar.gz (with the folders "
            "train and test) and bb_landmark.tar.gz"
        ),
        index=listing.folder_per_person(
            "",
            official=(("train", "train"), ("test", "test")),
            boxes={"train": "loose_bb_train.csv", "test": "loose_bb_test.csv"},
        ),
        size=64,
    ),
    Description(
        name="webface",
        title="CASIA-WebFace",
        kind="faces",
        origin=Origin(
            family="webface",
            licence="research, on request",
            terms="http://www.cbsr.ia.ac.cn/english/CASIA-WebFace-Database.html",
            credit="CASIA-WebFace (Yi et al. 2014), research",
            identities="published; a draw puts 90 % of the people in train, 5 % each in val and test [ours]",
        ),
        protocol=f"the centre square, to 64x64 px; {BICUBIC} [ours]",
        files=(RemoteFile("CASIA-WebFace"),),
        ask="ask for it on the terms page, then unpack it to a folder CASIA-WebFace with one folder per person",
        index=listing.folder_per_person("CASIA-WebFace"),
        size=64,
    ),
)
