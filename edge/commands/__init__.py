"""Commands of `parkbox` that run beside the two programs and end."""
