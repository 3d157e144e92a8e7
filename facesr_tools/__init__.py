"""What runs around the notebooks: the command line, runner, report, site, classroom, upscaling, data preparation, downloads."""
