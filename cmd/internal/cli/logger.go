package cli

import (
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/meterhouse/meterhouse/cmd/internal/config"
)

// logger writes to stderr, without sampling: each load has one start and one
// end line, and none of them may be missing. Commands that show their progress
// themselves log only warnings, unless they are asked for more.
func (a *App) logger(c config.Log, full bool) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(c.Level)
	if err != nil {
		return nil, fmt.Errorf("reading log.level: %w", err)
	}
	if !full {
		level = max(level, zapcore.WarnLevel)
	}
	ec := zap.NewProductionEncoderConfig()
	ec.EncodeTime = zapcore.RFC3339TimeEncoder
	ec.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(ec)
	if c.Format == "console" {
		encoder = zapcore.NewConsoleEncoder(ec)
	}
	core := zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(a.Stderr)), level)
	return zap.New(core), nil
}
