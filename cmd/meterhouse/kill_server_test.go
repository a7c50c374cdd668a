//go:build server

package main

import (
	"fmt"
	"testing"

	"github.com/meterhouse/meterhouse/load/loadtest"
)

// TestKillsOnAServer is TestKills on a real server, Debian's, over the native
// protocol. The server lives on: what a killed process had sent goes on there.
func TestKillsOnAServer(t *testing.T) {
	t.Parallel()
	newCampaign(t, onAServer(t)).load().run(*kills)
}

func TestProcessesAtOnceOnAServer(t *testing.T) {
	t.Parallel()
	processesAtOnce(t, onAServer)
}

// onAServer starts a server for a world, see worldOptions.
func onAServer(t *testing.T) (warehouse string) {
	t.Helper()
	s := loadtest.StartServer(t, loadtest.ServerOptions{})
	return fmt.Sprintf(`url: "clickhouse://default@%s/meterhouse", password: "%s"`, s.Native, loadtest.ServerPassword)
}
