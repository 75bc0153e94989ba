"""Real scans of one specimen whose order of quality is known: looked at, as a whole and at full zoom.

Not among them, since their order is not clear to the eye: tomobank 00064 (noisy) against 00065 (fringes),
httomo's SIRT against CGLS, the two severe cases of sarepy_ring_core and of httomo_pores_rock, coal stable
against unstable, the hardly different sarepy_porous_core. Leaf gridrec against Paganin is noise and fringes
against blur: what is to be named, not an order.
"""

from typing import NamedTuple


class Pair(NamedTuple):
    """Paths of two scans of ``models.specimens.SCANS``, and what makes the second the worse."""

    better: str
    worse: str
    why: str


_NMC = "nmc_cathode_txm/tomo_000"
_CORE = "collected/httomo_core_paganin/"
_GRAINS = "collected/httomo_angular_grains/"
_NOISY = f"{_GRAINS}lprec_recon_pad_noisy_data.tif"
_ROUNDED = "collected/httomo_rounded_grains/"
_PHASE = "collected/tomobank_00064_phase/tomo_000"
_STRIPES = "collected/qbi_stripe_rock/slice_"
_FIG0 = "collected/sarepy_fig0_sample/fig0_"

PAIRS = (
    Pair(f"{_NMC}87_nmc_941proj.tif", f"{_NMC}86_nmc_sparse_202proj.tif", "202 projections: streaks"),
    Pair(f"{_CORE}paganin_100.tif", f"{_CORE}lprec_no_paganin.tif", "noise hides cracks and layers"),
    Pair(f"{_CORE}paganin_100.tif", f"{_CORE}paganin_2000.tif", "cracks blurred away"),
    Pair(f"{_GRAINS}cgls_recon_iter20.tif", _NOISY, "noise hides grains"),
    Pair(f"{_GRAINS}sirt_recon_iter250.tif", _NOISY, "noise hides grains"),
    Pair(f"{_GRAINS}fistaos_recon_iter15.tif", _NOISY, "noise hides grains"),
    Pair(
        f"{_GRAINS}fistaos_recon_iter10_regul_high.tif",
        _NOISY,
        "noise hides grains",
    ),
    Pair(f"{_GRAINS}fistaos_recon_iter15.tif", f"{_GRAINS}cgls_recon_iter20.tif", "more noise"),
    Pair(
        f"{_GRAINS}fistaos_recon_iter15.tif",
        f"{_GRAINS}fistaos_recon_iter10_regul_high.tif",
        "texture and small grains smoothed away",
    ),
    Pair(f"{_ROUNDED}lprec_recon_pad.tif", f"{_ROUNDED}lprec_recon_no_pad.tif", "streaks in the corners"),
    Pair(f"{_PHASE}65.tif", f"{_PHASE}66.tif", "wider fringes"),
    Pair(f"{_PHASE}65.tif", f"{_PHASE}67.tif", "widest fringes"),
    Pair(f"{_PHASE}66.tif", f"{_PHASE}67.tif", "widest fringes"),
    Pair(f"{_PHASE}64.tif", f"{_PHASE}67.tif", "widest fringes"),
    Pair(f"{_STRIPES}stripe_filtered.tif", f"{_STRIPES}with_stripes.tif", "rings"),
    Pair(f"{_FIG0}b.tif", f"{_FIG0}a.tif", "severe rings"),
)

NOISE_AGAINST_BLUR = (
    "leaf_gridrec_vs_paganin/slice0440_gridrec.tif",
    "leaf_gridrec_vs_paganin/slice0440_paganin.tif",
)
"""Two reconstructions of one slice: the first noisy, the second smooth."""

STRONG_FAULTS = (
    "coal_methane_hydrate/tomo_00102_stable.tif",
    "coal_methane_hydrate/tomo_00103_unstable.tif",
    "rings_aps2bm/tomo_00075_ceramic_rod_clay_wire.tif",
    "rings_aps2bm/tomo_00076_soft_tissue_whitebeam.tif",
    "collected/tomobank_00072_softtissue/tomo_00072.tif",
    f"{_PHASE}67.tif",
    "collected/tomobank_00022_tinwire/tomo_00022_recon.tif",
    "collected/tomobank_00007_highpressure/tomo_00007_recon.tif",
    "collected/xlearn_particles/test_input.tif",
    "collected/xlearn_particles/train_input.tif",
    f"{_CORE}lprec_no_paganin.tif",
    f"{_CORE}paganin_2000.tif",
    _NOISY,
    "collected/sarepy_ring_core/fitting_fig1_c.tif",
    "collected/sarepy_ring_core/sec2_fig6_c.tif",
    f"{_STRIPES}with_stripes.tif",
    f"{_FIG0}a.tif",
    "collected/httomo_pores_rock/FBP3D_tomobar_filter03.tif",
    "collected/httomo_pores_rock/lprec_recon_filter_hann.tif",
    "collected/algotom_limited_angle_cell/horizontal.tif",
)
"""Scans with strong faults, by collected.csv (where they are not fit to be a 5) and the table
of the data folder."""
