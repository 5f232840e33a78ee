"""What several tabs are made of: canvases, panels, pictures, buttons and events, stored first paint, the address."""
