//go:build soak

package faulttest

const soak = true
