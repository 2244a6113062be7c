"""The box as an appliance: first boot, provisioning, backup and restore, update, health."""
