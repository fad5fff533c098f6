package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// copyTrees copies what belongs to the repository, so many times. What it
// returns with an error is to be removed as well.
func copyTrees(ctx context.Context, n int) (trees []string, err error) {
	files, err := exec.CommandContext(ctx, "git", "ls-files", "-co", "--exclude-standard").Output()
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	for range n {
		dir, err := os.MkdirTemp("", "reseed-removals-")
		if err != nil {
			return trees, err
		}
		trees = append(trees, dir)
		for file := range strings.Lines(string(files)) {
			if err := copyFile(strings.TrimSpace(file), dir); err != nil {
				return trees, err
			}
		}
	}
	return trees, nil
}

// copyFile passes over files that were deleted and are still in the index.
func copyFile(file, dir string) error {
	content, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	to := filepath.Join(dir, file)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o700) //nolint:gosec // scripts stay executable
}

func remove(trees []string) {
	for _, dir := range trees {
		os.RemoveAll(dir)
	}
}

// spread does the work, one piece at a time in each tree, and sends what comes
// of each.
func spread[T any](trees []string, work []func(tree string) T) <-chan T {
	todo, done := make(chan func(string) T, len(work)), make(chan T)
	for _, f := range work {
		todo <- f
	}
	close(todo)
	var workers sync.WaitGroup
	for _, tree := range trees {
		workers.Go(func() {
			for f := range todo {
				done <- f(tree)
			}
		})
	}
	go func() {
		workers.Wait()
		close(done)
	}()
	return done
}
