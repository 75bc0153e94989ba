"""The real scans that the models are trained on and judged on: 70 specimens, and how to read them."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from napari_tiqa.errors import TrainingError
from napari_tiqa.volumes.open import open_volume
from napari_tiqa.volumes.volume import Volume
from napari_tiqa.volumes.window import IntensityWindow
from napari_tiqa.volumes.window_estimate import estimate_window


@dataclass(frozen=True)
class Scan:
    """One file of real data and what to take from it.

    Attributes
    ----------
    specimen : str
        Scans of one material from one source share it: they are never split between training and test.
    path : str
        Relative to the data folder.
    slices : int
        Whole slices, evenly spaced, along each axis of a cube and along z of anything else.
    crops : int
        Square crops besides, of varied size and place.
    clean : bool
        Whether it is fit to be called a 5 where nothing was added, seen as a whole at 224 px.
    native : bool
        Whether also its own pixels are fit for that, judged by eye.
    """

    specimen: str
    path: str
    slices: int = 1
    crops: int = 0
    clean: bool = True
    native: bool = False


FIRST = (
    Scan("li-ion cell", "li_ion_cylindrical_cell/jellyroll_z060-099.tif", 2, 3, native=True),
    Scan("li-ion cell", "li_ion_cylindrical_cell/winding_im_1.tif", 1, 2, native=True),
    Scan("nmc cathode", "nmc_cathode_txm/tomo_00086_nmc_sparse_202proj.tif", 1, 2, clean=False),
    Scan("nmc cathode", "nmc_cathode_txm/tomo_00087_nmc_941proj.tif", 1, 4, native=True),
    Scan("li-o2 cathode", "lio2_cnt_cathode_txm/tomo_00095_cnt_pristine.tif", 1, 2),
    Scan("li-o2 cathode", "lio2_cnt_cathode_txm/tomo_00096_cnt_cycled.tif", 1, 2),
    Scan("wood", "wood_stick/tomo_00088_wood.tif", 1, 3, native=True),
    Scan("coal", "coal_methane_hydrate/tomo_00102_stable.tif", 1, 3, clean=False),
    Scan("coal", "coal_methane_hydrate/tomo_00103_unstable.tif", 1, 3, clean=False),
    Scan("shale", "shale_roundrobin/tomo_00001_B1_aps.tif", native=True),
    Scan("shale", "shale_roundrobin/tomo_00002_N1_aps.tif", native=True),
    Scan("rod and clay", "rings_aps2bm/tomo_00075_ceramic_rod_clay_wire.tif", clean=False),
    Scan("soft tissue", "rings_aps2bm/tomo_00076_soft_tissue_whitebeam.tif", clean=False),
    Scan("cement", "qim3d_examples/cement_128x128x128.tif", native=True),
    Scan("shell", "qim3d_examples/shell_225x128x128.tif", 3, native=True),
    Scan("nerve", "qim3d_examples/NT_128x128x128.tif", clean=False),
    Scan("fibres", "qim3d_examples/fibers_150x150x150.tif", native=True),
    Scan("fly", "qim3d_examples/fly_150x256x256.tif", 3, clean=False),
    Scan("rock core", "core_in_holder/Initial_1_00000-00001.tif", 1, 1),
    Scan("leaf", "leaf_gridrec_vs_paganin/slice0440_gridrec.tif", 1, 2, clean=False),
    Scan("leaf", "leaf_gridrec_vs_paganin/slice0440_paganin.tif", 1, 2, clean=False),
    Scan("beads", "bead_pack_als/slice_0.tif", native=True),
    Scan("beads", "bead_pack_als/slice_129.tif", clean=False),
    Scan("grains", "grains_in_tube/samba_3_phase.tif", 1, 2),
)
"""The scans of the first 17 specimens: the label scale rests on them."""

COLLECTED = (
    Scan("qbi lung", "collected/qbi_lung/lung.tif", native=True),
    Scan("qbi lung", "collected/qbi_lung/lung_phase.tif", native=True),
    Scan("qbi bone cylinders", "collected/qbi_bone_cylinders/bone_cylinders.tif"),
    Scan("qbi bone defect mouse", "collected/qbi_bone_defect_mouse/week2.tif", clean=False),
    Scan("qbi bone defect mouse", "collected/qbi_bone_defect_mouse/week3.tif", clean=False),
    Scan("qbi orl6 rock", "collected/qbi_orl6_rock/shale-slice.tif", native=True),
    Scan("msm rocks", "collected/msm_rocks/rocks.tif"),
    Scan("msm gambier", "collected/msm_gambier/gambier.tif"),
    Scan("msm cmc", "collected/msm_cmc/cmc.tif", native=True),
    Scan("insegt carbon", "collected/insegt_carbon/carbon0103.tif", native=True),
    Scan("insegt carbon", "collected/insegt_carbon/carbon0918.tif", native=True),
    Scan("insegt carbon", "collected/insegt_carbon/carbon0969.tif", native=True),
    Scan("insegt glass", "collected/insegt_glass/glass0064.tif", native=True),
    Scan("insegt glass", "collected/insegt_glass/glass0864.tif", native=True),
    Scan("tomobank 00069", "collected/tomobank_00069/tomo_00069.tif"),
    Scan("tomobank 00071", "collected/tomobank_00071/tomo_00071.tif", clean=False),
    Scan("tomobank 00072 softtissue", "collected/tomobank_00072_softtissue/tomo_00072.tif", clean=False),
    Scan("tomobank 00080 liquidfoam", "collected/tomobank_00080_liquidfoam/tomo_00080_1.tif", clean=False),
    Scan("tomobank 00108 F3rock", "collected/tomobank_00108_F3rock/tomo_00108_recon.tif"),
    Scan("tomobank 00108 F3rock", "collected/tomobank_00108_F3rock/tomo_00109_recon.tif"),
    Scan("tomobank 00064 phase", "collected/tomobank_00064_phase/tomo_00064.tif", clean=False),
    Scan("tomobank 00064 phase", "collected/tomobank_00064_phase/tomo_00065.tif", clean=False),
    Scan("tomobank 00064 phase", "collected/tomobank_00064_phase/tomo_00066.tif", clean=False),
    Scan("tomobank 00064 phase", "collected/tomobank_00064_phase/tomo_00067.tif", clean=False),
    Scan("tomobank 00022 tinwire", "collected/tomobank_00022_tinwire/tomo_00022_recon.tif", clean=False),
    Scan("tomobank 00023 bamboowires", "collected/tomobank_00023_bamboowires/tomo_00023_recon.tif"),
    Scan(
        "tomobank 00024 polystyrene", "collected/tomobank_00024_polystyrene/tomo_00024_recon.tif", clean=False
    ),
    Scan(
        "tomobank 00007 highpressure",
        "collected/tomobank_00007_highpressure/tomo_00007_recon.tif",
        clean=False,
    ),
    Scan("tomobank 00094 foam", "collected/tomobank_00094_foam/tomo_00094_crop.tif", clean=False),
    Scan("xlearn particles", "collected/xlearn_particles/test_input.tif", clean=False),
    Scan("xlearn particles", "collected/xlearn_particles/train_input.tif", clean=False),
    Scan("dtu elbow ct", "collected/dtu_elbow_ct/ElbowCTSlice.tif", native=True),
    Scan("dtu abdomen ct", "collected/dtu_abdomen_ct/1-442.tif", native=True),
    Scan("dtu chest ct", "collected/dtu_chest_ct/Training.tif", native=True),
    Scan("dtu chest ct", "collected/dtu_chest_ct/Test2.tif", native=True),
    Scan("pydicom 693 ct", "collected/pydicom_693_ct/693_UNCI.tif", clean=False),
    Scan("pydicom pancreas ct", "collected/pydicom_pancreas_ct/explicit_VR-UN.tif", native=True),
    Scan("quanfima polymer fibres", "collected/quanfima_polymer_fibres/polymer_slice.tif"),
    Scan("ni snail shell", "collected/ni_snail_shell/shellX.tif"),
    Scan("ni snail shell", "collected/ni_snail_shell/shellN.tif"),
    Scan("sbrisard rice", "collected/sbrisard_rice/rice-roi_256.tif", native=True),
    Scan("sbrisard rice", "collected/sbrisard_rice/rice-bin_4x4x4-099.tif", native=True),
    Scan("dls i12 limestone 68067", "collected/dls_i12_limestone_68067/tomo_68067_00000.tif"),
    Scan("httomo core paganin", "collected/httomo_core_paganin/lprec_no_paganin.tif", clean=False),
    Scan("httomo core paganin", "collected/httomo_core_paganin/paganin_100.tif", clean=False),
    Scan("httomo core paganin", "collected/httomo_core_paganin/paganin_2000.tif", clean=False),
    Scan("httomo angular grains", "collected/httomo_angular_grains/cgls_recon_iter20.tif", clean=False),
    Scan(
        "httomo angular grains",
        "collected/httomo_angular_grains/fistaos_recon_iter10_regul_high.tif",
        clean=False,
    ),
    Scan("httomo angular grains", "collected/httomo_angular_grains/fistaos_recon_iter15.tif", clean=False),
    Scan("httomo angular grains", "collected/httomo_angular_grains/sirt_recon_iter250.tif", clean=False),
    Scan(
        "httomo angular grains", "collected/httomo_angular_grains/lprec_recon_pad_noisy_data.tif", clean=False
    ),
    Scan("httomo rounded grains", "collected/httomo_rounded_grains/lprec_recon_pad.tif"),
    Scan("httomo rounded grains", "collected/httomo_rounded_grains/lprec_recon_no_pad.tif"),
    Scan("httomo rounded grains", "collected/httomo_rounded_grains/fbp3d_recon_pad.tif"),
    Scan("sarepy ring core", "collected/sarepy_ring_core/fitting_fig1_c.tif", clean=False),
    Scan("sarepy leafshape", "collected/sarepy_leafshape/sec1_fig6_a.tif", clean=False),
    Scan("algotom limited angle cell", "collected/algotom_limited_angle_cell/horizontal.tif", clean=False),
    Scan("rabbani porous building", "collected/rabbani_porous_building/A.tif", native=True),
    Scan("qbi aggregates", "collected/qbi_aggregates/aggregates.tif", native=True),
    Scan("qbi neutron rods", "collected/qbi_neutron_rods/recon5s_0130.tif", clean=False),
    Scan("qbi stripe rock", "collected/qbi_stripe_rock/slice_with_stripes.tif", clean=False),
    Scan("qbi stripe rock", "collected/qbi_stripe_rock/slice_stripe_filtered.tif", clean=False),
    Scan("qbi weld", "collected/qbi_weld/weld.tif", clean=False),
    Scan("sarepy porous core", "collected/sarepy_porous_core/sec3_fig2_a.tif", native=True),
    Scan("sarepy porous core", "collected/sarepy_porous_core/sec3_fig2_c.tif", native=True),
    Scan("sarepy ring core", "collected/sarepy_ring_core/sec2_fig6_c.tif", clean=False),
    Scan("sarepy fig0 sample", "collected/sarepy_fig0_sample/fig0_a.tif", clean=False),
    Scan("sarepy fig0 sample", "collected/sarepy_fig0_sample/fig0_b.tif", clean=False),
    Scan("savu distortion sample", "collected/savu_distortion_sample/fig2_b.tif", native=True),
    Scan("savu distortion sample", "collected/savu_distortion_sample/fig2_c.tif", native=True),
    Scan("bnh mouse lung", "collected/bnh_mouse_lung/new_rec.tif", native=True),
    Scan("bnh mouse lung", "collected/bnh_mouse_lung/old_rec.tif", native=True),
    Scan("pymicro mousse", "collected/pymicro_mousse/mousse_250x250x250_uint8.tif", native=True),
    Scan("pymicro steel", "collected/pymicro_steel/steel_left.tif", clean=False),
    Scan("httomo pores rock", "collected/httomo_pores_rock/FBP3D_tomobar_filter03.tif", clean=False),
    Scan("httomo pores rock", "collected/httomo_pores_rock/lprec_recon_filter_hann.tif", clean=False),
    Scan("msm cmc", "collected/fcn_cmc_fibrebed/Fig02a.tif", clean=False),
    Scan("yclipse coreflood", "collected/yclipse_coreflood/raw_panel.tif", clean=False),
    Scan("tomobank 00085 chip", "collected/tomobank_00085_chip/chip_xy_crop.tif", clean=False),
    Scan("qbi honeycomb filter", "collected/qbi_honeycomb_filter/orig.tif", clean=False),
    Scan("qbi lung", "collected/qbi_lung_iss/lung_iterations_first.tif"),
)
"""The scans of 53 further specimens; see collected.csv in the data folder for what shows in each."""

SCANS = (*FIRST, *COLLECTED)

FAULTY = tuple(sorted({scan.specimen for scan in SCANS} - {scan.specimen for scan in SCANS if scan.clean}))
"""Specimens whose scans all have visible faults."""

LEFT_OUT = (
    "qbi lung",
    "insegt glass",
    "tomobank 00108 F3rock",
    "bnh mouse lung",
    "dtu elbow ct",
    "dtu chest ct",
    "sbrisard rice",
    "quanfima polymer fibres",
    "savu distortion sample",
    "tomobank 00023 bamboowires",
    "pymicro mousse",
    "httomo rounded grains",
    "tomobank 00072 softtissue",
    "tomobank 00064 phase",
    "xlearn particles",
    "httomo core paganin",
    "httomo angular grains",
    "qbi stripe rock",
    "sarepy fig0 sample",
)
"""Specimens that the model which judges the default recipe is not trained on: of all materials; large scans,
strong real faults and pairs of known order among them. They were chosen before it was trained."""


def folds(count: int = 3) -> list[list[str]]:
    """Split the specimens into `count` parts, each to be left out of one training."""
    specimens = sorted({scan.specimen for scan in SCANS})
    return [specimens[fold::count] for fold in range(count)]


@lru_cache(maxsize=len(SCANS))
def read_scan(data: Path, path: str) -> tuple[Volume, IntensityWindow]:
    """Open a scan and estimate its window.

    Raises
    ------
    TrainingError
        If it is missing.
    """
    if not (data / path).exists():
        raise TrainingError(f"{data} has no {path}: give the folder with the training scans.")
    volume = open_volume(data / path)
    return volume, estimate_window(volume)


def random_slice(volume: Volume, rng: np.random.Generator) -> np.ndarray:
    """Draw a slice along z, of a cube along any axis."""
    axis = int(rng.integers(3)) if volume.data.ndim == 3 and len(set(volume.data.shape)) == 1 else 0
    # The first and last slices may have missed the specimen, hence not quite from end to end.
    return volume.slice(axis, int(rng.uniform(0.1, 0.9) * volume.slice_count(axis)))
