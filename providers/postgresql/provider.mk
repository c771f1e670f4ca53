PKGS += libpq
