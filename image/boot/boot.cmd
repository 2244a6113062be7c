# QEMU's virt machine, by U-Boot: reads the same line of autoboot.txt that a Pi's firmware reads. It knows no sections; the file has one.
fatload virtio 0:1 ${loadaddr} autoboot.txt
env import -t ${loadaddr} ${filesize} boot_partition
setenv extra
if fatload virtio 0:1 ${loadaddr} virt.txt; then env import -t ${loadaddr} ${filesize} extra; fi
echo slot partition ${boot_partition}
fatload virtio 0:${boot_partition} ${kernel_addr_r} vmlinuz
fatload virtio 0:${boot_partition} ${ramdisk_addr_r} initrd.img
setenv bootargs "console=ttyAMA0 quiet panic=10 fsck.mode=skip ${extra}"
booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdtcontroladdr}
reset
