package line

import "ebb/pipeline"

// proposeSettings is the control record by which the configured settings begin, where others are in force; nil: none.
func (l *Line) proposeSettings() *Change {
	if l.configured == l.meta.Settings {
		return nil
	}
	change := pipeline.Change{Kind: pipeline.ControlSettings, Settings: l.configured}
	return &Change{Offset: l.meta.Next, Change: change}
}

// Settings are those in force: of the state, or, while none are announced, the configured ones.
func (l *Line) Settings() pipeline.Settings {
	if l.meta.Settings == (pipeline.Settings{}) {
		return l.configured
	}
	return l.meta.Settings
}

// beginSettings has what follows decided by s.
func (l *Line) beginSettings(s pipeline.Settings) {
	l.meta.Settings = s
	l.settings = l.Settings()
	l.homes = l.settings.Homes()
	l.beginBudgets()
	if !l.guarded() && l.meta.Sources.Until != 0 {
		l.meta.Sources.Rest(l.meta.Clock.Watermark)
	}
}
