"""What mediapipe's face landmarker sees in photographs and near-photographic pictures; it is nearly blind to anime."""
