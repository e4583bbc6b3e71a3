"""The isometric layout, whose planes have cells that are parallelograms."""
