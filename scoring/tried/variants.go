package main

// variant is one thing that was tried.
type variant struct {
	idea, name string
	change     func(*parameters) // nil: the core as it is
}

// variants are all that were tried.
func variants() []variant {
	return []variant{
		{"the core", "as it is", nil},
		{"older gaps", "forget .8", func(p *parameters) { p.forget = 0.8 }},
		{"older gaps", "forget .95", func(p *parameters) { p.forget = 0.95 }},
		{"fade of the level", "2 H", func(p *parameters) { p.levelFade = 2 }},
		{"fade of the level", "3 H", func(p *parameters) { p.levelFade = 3 }},
		{"fade of the level", "6 H", func(p *parameters) { p.levelFade = 6 }},
		{"spells", "6 per H", func(p *parameters) { p.spells = 6 }},
		{"spells", "24 per H", func(p *parameters) { p.spells = 24 }},
		{"weight of the level", "0.8", func(p *parameters) { p.level = 0.8 }},
		{"weight of the level", "1.2", func(p *parameters) { p.level = 1.2 }},
		{"floor of the level", "0.1", func(p *parameters) { p.levelFloor = 0.1 }},
		{"floor of the level", "0.5", func(p *parameters) { p.levelFloor = 0.5 }},
		{"weight of the rhythm", "0.4", func(p *parameters) { p.rhythm = 0.4 }},
		{"weight of the rhythm", "0.6", func(p *parameters) { p.rhythm = 0.6 }},
		{"weight of the silence", "0.4", func(p *parameters) { p.silence = 0.4 }},
		{"weight of the silence", "0.6", func(p *parameters) { p.silence = 0.6 }},
		{"tenure", "without", func(p *parameters) { p.tenure = 0 }},
		{"tenure", "0.2", func(p *parameters) { p.tenure = 0.2 }},
		{"tenure", "offset 1", func(p *parameters) { p.tenureOffset = 1 }},
		{"friction", "fades in H/2", func(p *parameters) { p.frictionFade = 0.5 }},
		{"friction", "fades in 2 H", func(p *parameters) { p.frictionFade = 2 }},
		{"friction", "weight 1", func(p *parameters) { p.frictionWeight = 1 }},
		{"shrinkage of the gap law", "half as strong", func(p *parameters) { p.priorGaps = 0.5 }},
		{"shrinkage of the gap law", "twice as strong", func(p *parameters) { p.priorGaps = 2 }},
		{"shrinkage of the regularity", "2 gaps", func(p *parameters) { p.priorWeight = 2 }},
		{"shrinkage of the regularity", "8 gaps", func(p *parameters) { p.priorWeight = 8 }},
		{"shrinkage of the regularity", "16 gaps", func(p *parameters) { p.priorWeight = 16 }},
		{"regularity", "at most 2", func(p *parameters) { p.ownMost = 2 }},
		{"regularity", "own term, +0.2 ln k", func(p *parameters) { p.regular = 0.2 }},
		{"regularity", "own term, -0.2 ln k", func(p *parameters) { p.regular = -0.2 }},
		{"mixture of gaps", "5 % by the population's law", func(p *parameters) { p.mixture = 0.05 }},
		{"mixture of gaps", "20 % by the population's law", func(p *parameters) { p.mixture = 0.2 }},
		{"trend of gaps", "+0.1 per e-fold", func(p *parameters) { p.trend = 0.1 }},
		{"trend of gaps", "+0.3 per e-fold", func(p *parameters) { p.trend = 0.3 }},
		{"trend of gaps", "+0.5 per e-fold", func(p *parameters) { p.trend = 0.5 }},
		{"trend of gaps", "-0.1 per e-fold", func(p *parameters) { p.trend = -0.1 }},
		{"last gap", "+0.1 per e-fold above the typical", func(p *parameters) { p.lastGap = 0.1 }},
		{"second level", "a quarter fades in H", func(p *parameters) { p.shortLevel = 0.25 }},
		{"second level", "half fades in H", func(p *parameters) { p.shortLevel = 0.5 }},
		{"recency x frequency", "+0.1", func(p *parameters) { p.interaction = 0.1 }},
		{"recency x frequency", "-0.1", func(p *parameters) { p.interaction = -0.1 }},
		{"visits per horizon, ever", "0.1", func(p *parameters) { p.frequency = 0.1 }},
		{"visits per horizon, ever", "0.2", func(p *parameters) { p.frequency = 0.2 }},
		{"level by value", "square root", func(p *parameters) { p.money = 0.5 }},
		{"level by value", "fourth root", func(p *parameters) { p.money = 0.25 }},
		{"days of the week", "silence and gaps in usual activity", func(p *parameters) { p.weekly = true }},
		{"together", "forget .8, regularity 8 gaps, trend +0.3", together},
		{"together", "the same, friction 1, level by the fourth root", func(p *parameters) {
			together(p)
			p.frictionWeight, p.money = 1, 0.25
		}},
		{"together", "the same, and +0.2 ln k, recency x frequency +0.1", func(p *parameters) {
			together(p)
			p.frictionWeight, p.money, p.regular, p.interaction = 1, 0.25, 0.2, 0.1
		}},
	}
}

// together is what won by itself and needs nothing but gaps.
func together(p *parameters) { p.forget, p.priorWeight, p.trend = 0.8, 8, 0.3 }
