package kafkawire

// UseVersion1 keeps p from using transactions of version 2.
func UseVersion1(p *Producer) { p.only1 = true }
