# What ci/servers/mongodb.sh needs of the server's own Python. The password comes in MONGODB_PASSWORD.
#   make PATH        a new data directory with the user `switchproof`, before the port with authentication opens
#   ping PORT        exit code 0 if the server answers this user
import os
import sys

from pymongo import MongoClient

password = os.environ["MONGODB_PASSWORD"]
if sys.argv[1] == "make":
    from secantus import SecantusDBServer

    with SecantusDBServer(storage_path=sys.argv[2], enable_test_commands=False) as server:
        with MongoClient(server.uri) as client:
            client.admin.command("createUser", "switchproof", pwd=password, roles=["root"])
elif sys.argv[1] == "ping":
    try:
        with MongoClient(
            "127.0.0.1", int(sys.argv[2]), username="switchproof", password=password,
            directConnection=True, serverSelectionTimeoutMS=2000, socketTimeoutMS=2000,
        ) as client:
            client.switchproof.command("ping")
    except Exception as e:
        sys.exit(type(e).__name__)
else:
    sys.exit(2)
