"""What models made for drawn characters see: tags, identity, corruption and faces, all by onnxruntime."""
