"""The longer answers of `cockpit spend`, in words and as JSON documents."""
