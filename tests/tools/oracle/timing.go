package main

import (
	"slices"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/managedfields"
)

// batch is how many copies are made ahead, so that their making is not timed.
const batch = 50

// timed applies the same configuration to the same object many times. An apply may change what it is given, so each gets
// copies.
func timed(r *request, converters map[string]managedfields.TypeConverter) (answer, error) {
	manager, live, config, err := prepare(r, converters)
	if err != nil {
		return answer{}, err
	}
	var walls []time.Duration
	var spent time.Duration
	// A first batch warms up.
	for first := true; len(walls) < max(r.Times, 1); first = false {
		var lives, configs [batch]*unstructured.Unstructured
		for i := range batch {
			lives[i], configs[i] = live.DeepCopy(), config.DeepCopy()
		}
		start := cpuTime()
		for i := range batch {
			started := time.Now()
			if _, err := manager.Apply(lives[i], configs[i], r.Manager, r.Force); err != nil {
				return answer{}, err
			}
			if !first {
				walls = append(walls, time.Since(started))
			}
		}
		if !first {
			spent += cpuTime() - start
		}
	}
	slices.Sort(walls)
	ms := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
	return answer{CPUMeanMs: ms(spent) / float64(len(walls)), MedianMs: ms(walls[len(walls)/2])}, nil
}

// cpuTime is the time of all threads, the garbage collector's too.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
