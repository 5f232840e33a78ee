"""The bridge to `pixelcnn_core`: models and turns, drawing, faces, what a visitor may give and choose. No page."""
