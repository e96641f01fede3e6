package kafkabatch

// Compressed is a batch that is compressed again and again.
type Compressed struct {
	Size, Compressed int // bytes

	records    []byte
	batch      Builder
	compressor Compressor
}

// NewCompressed makes a batch of values.
func NewCompressed(how Compression, values [][]byte) *Compressed {
	d := &Compressed{compressor: Compressor{How: how}}
	d.batch.Reset()
	for _, v := range values {
		d.batch.Add(nil, v, nil, 0)
	}
	d.Size = d.batch.Size()
	d.records = append(d.records, d.batch.buf...)
	return d
}

// Compress compresses the batch as it was.
func (d *Compressed) Compress() error {
	d.batch.Reset()
	d.batch.buf = append(d.batch.buf[:0], d.records...)
	_, err := d.compressor.Compress(&d.batch, len(d.records))
	d.Compressed = d.batch.Size()
	return err
}
