package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
)

const hunter = "hunter2"

func TestSecretIsOnlyRevealed(t *testing.T) {
	t.Parallel()
	s := config.NewSecret(hunter)
	require.Equal(t, hunter, s.Reveal())
	require.False(t, s.IsZero())
	require.True(t, config.Secret{}.IsZero())
	require.True(t, config.NewSecret("").IsZero())
	require.Empty(t, config.Secret{}.Reveal())
	require.Equal(t, "***", s.String())
	require.Equal(t, "***", s.GoString())
}

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	c := &config.Config{
		Warehouse: config.Warehouse{Password: config.NewSecret(hunter)},
		Sources:   []config.Source{{Token: config.NewSecret(hunter), Password: config.NewSecret(hunter)}},
	}
	type wrapper struct{ hidden config.Secret } // fmt calls no methods on this field
	for _, v := range []any{
		config.NewSecret(hunter), c, *c, c.Sources, c.Warehouse,
		wrapper{c.Warehouse.Password},
		&wrapper{c.Warehouse.Password},
		map[string]config.Secret{"a": c.Warehouse.Password},
		[]any{c.Warehouse.Password},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%10.3v"} {
			require.NotContains(t, fmt.Sprintf(verb, v), hunter, verb)
			require.NotContains(t, fmt.Sprintf(verb, v), fmt.Sprintf("%x", hunter), verb)
		}
		asJSON, err := json.Marshal(v)
		require.NoError(t, err)
		require.NotContains(t, string(asJSON), hunter)
		require.NotContains(t, logged(t, v), hunter)
	}
	asYAML, err := yaml.Marshal(c.Warehouse)
	require.NoError(t, err)
	require.NotContains(t, string(asYAML), hunter)
	require.Contains(t, fmt.Sprintf("%+v", c), "Token:***")
}

// logged is what zap writes of v, in both of its encodings.
func logged(t *testing.T, v any) string {
	t.Helper()
	var out bytes.Buffer
	for _, enc := range []zapcore.Encoder{
		zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()),
		zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig()),
	} {
		log := zap.New(zapcore.NewCore(enc, zapcore.AddSync(&out), zap.DebugLevel))
		log.Info("test", zap.Any("any", v), zap.Reflect("reflect", v))
		log.Sugar().Infof("%v", v)
	}
	require.Contains(t, out.String(), "reflect")
	return out.String()
}
