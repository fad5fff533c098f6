//go:build !soak

package faulttest

const soak = false
