PKGS += libmongoc-1.0
