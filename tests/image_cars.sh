#!/bin/sh
# Runs inside the machine, put on its boot partition: cars without end over the simulated loops of one entry, each as soon as
# the relay of OPEN was on for it. cars.sh OPEN ARRIVAL SAFETY, line numbers of the chip.
cd "$(dirname "$(ls -d /sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio"$1")")" || exit
while :; do
    echo pull-down > "sim_gpio$2/pull"
    until [ "$(cat "sim_gpio$1/value")" = 1 ]; do sleep 0.05; done
    echo pull-down > "sim_gpio$3/pull"
    echo pull-up > "sim_gpio$2/pull"
    sleep 0.3
    echo pull-up > "sim_gpio$3/pull"
    until [ "$(cat "sim_gpio$1/value")" = 0 ]; do sleep 0.05; done
done
